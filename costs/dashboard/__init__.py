"""Read functions of the pages about money. Each asks a fixed number of queries, pinned by costs/tests."""

from costs.dashboard.accounts import NO_MONEY, AccountMoney, money_by_account
from costs.dashboard.alerts import AlertsPage, alerts_page, open_alerts
from costs.dashboard.bill import BillPage, OwnPart, bill_page, own_part
from costs.dashboard.book import Book, price_book
from costs.dashboard.forgotten import ForgottenPage, forgotten_page, left_on
from costs.dashboard.meter import LaunchMeter, MeterChip, launch_meter, meter_chip
from costs.dashboard.mine import MyCosts, OwnLights, lights_of, my_costs
from costs.dashboard.spend import SpendPage, spend_page, trends_of
from costs.dashboard.went_out import WentOut, went_out

__all__ = [
    "NO_MONEY",
    "AccountMoney",
    "AlertsPage",
    "BillPage",
    "Book",
    "ForgottenPage",
    "LaunchMeter",
    "MeterChip",
    "MyCosts",
    "OwnLights",
    "OwnPart",
    "SpendPage",
    "WentOut",
    "alerts_page",
    "bill_page",
    "forgotten_page",
    "launch_meter",
    "left_on",
    "lights_of",
    "meter_chip",
    "money_by_account",
    "my_costs",
    "open_alerts",
    "own_part",
    "price_book",
    "spend_page",
    "trends_of",
    "went_out",
]

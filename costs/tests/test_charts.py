"""A figure is what plotly.js takes: its Python library, which knows every attribute, takes it and changes nothing."""

import json
from datetime import timedelta
from decimal import Decimal

import plotly.graph_objects as go
import pytest

from costs.charts import spend_figure
from costs.dashboard.days import DaySpend, today
from costs.tests.worlds import NOW

SERVICES = [("SageMaker", Decimal(6)), ("Rekognition", Decimal(3))]


@pytest.mark.parametrize("number", [7, 28])
def test_plotly_takes_the_figure_as_it_is(number):
    days = [
        DaySpend(today(NOW) - timedelta(days=back), {"SageMaker": Decimal(back)}) for back in range(number - 1, -1, -1)
    ]
    figure = spend_figure(days, SERVICES, NOW)
    taken = go.Figure(figure).update_layout(template=None)  # raises for an attribute that there is not
    written = json.loads(taken.to_json())
    written["layout"].pop("template", None)  # its themes are not ours
    assert written == json.loads(json.dumps(figure))
    assert [bar["marker"]["pattern"]["shape"].count("/") for bar in figure["data"]] == [1, 1], "only today is hatched"


def test_plotly_does_not_take_just_anything():
    with pytest.raises(ValueError, match="barmod"):
        go.Figure({"data": [], "layout": {"barmod": "stack"}})

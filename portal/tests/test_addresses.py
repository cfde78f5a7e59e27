"""Which addresses people may give: by table."""

import pytest

from portal import addresses
from portal.addresses import NotTaken, masked, read

USUAL = ["tgram", "slack", "discord", "gchat"]
HOSTED = [*USUAL, "json", "ntfys", "matrix", "syslog"]
TELEGRAM = "tgram://123456789:abcdefg_hijklmnop-abcdefghij12345/12315544"


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        (TELEGRAM, TELEGRAM),
        (f"  {TELEGRAM}\n", TELEGRAM),
        ("SLACK://T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXr", "slack://T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXr"),
        ("https://hooks.slack.com/services/T1JJ3T3L2/A1BRTD4JD/TIiajk", "slack://T1JJ3T3L2/A1BRTD4JD/TIiajk"),
        ("https://discord.com/api/webhooks/4174216298/JHMHI8qBe7_bk-2", "discord://4174216298/JHMHI8qBe7_bk-2"),
        ("https://discordapp.com/api/webhooks/4174216298/JHMHI8qBe7", "discord://4174216298/JHMHI8qBe7"),
        ("https://chat.googleapis.com/v1/spaces/AA/messages?key=k&token=t%3D", "gchat://AA/k/t%3D"),
    ],
)
def test_an_address_of_a_service_that_the_operator_allows_is_taken(given, kept):
    assert read(given, USUAL) == kept


@pytest.mark.parametrize(
    ("given", "why"),
    [
        ("", "nothing"),
        ("hello", "no scheme"),
        ("slack://", "nothing after it"),
        ("json://example.com/hook", "the operator allows no such scheme"),
        ("mailto://me:pw@example.com", "nor this one"),
        ("https://example.com/hook", "nor the web at large"),
        ("https://hooks.slack.com.evil.example/services/T1/A1/TI", "a name that only looks like Slack's"),
        ("file:///etc/passwd", "a file"),
        (f"{TELEGRAM}?template=/etc/passwd", "options name files"),
        (f"{TELEGRAM}%3Ftemplate=/etc/passwd", "also written so"),
        (f"{TELEGRAM}#x", "a fragment"),
        (f"{TELEGRAM} slack://T1/A1/TI", "two addresses"),
        (f"{TELEGRAM}\x00", "what is not printed"),
        ("slack://" + "a" * 500, "too long"),
    ],
)
def test_another_is_not(given, why):
    with pytest.raises(NotTaken):
        read(given, USUAL)


@pytest.mark.parametrize(
    "host",
    [
        "localhost",
        "LocalHost.",
        "printer.local",
        "metadata.google.internal",
        "127.0.0.1",
        "127.0.0.1:8080",
        "user:password@10.0.0.5",
        "192.168.1.1",
        "169.254.169.254",
        "100.64.0.1",
        "2130706433",
        "0x7f000001",
        "127.1",
        "[::1]",
        "[::ffff:127.0.0.1]",
        "[fd00::1]",
    ],
)
def test_a_host_within_a_network_is_refused_before_anything_is_sent(host):
    with pytest.raises(NotTaken, match="public internet"):
        read(f"json://{host}/hook", HOSTED)


def test_a_public_host_is_taken_where_the_operator_allows_the_scheme():
    assert read("json://hooks.example.com/x", HOSTED) == "json://hooks.example.com/x"
    assert read("json://user:pw@8.8.8.8:8443/x", HOSTED) == "json://user:pw@8.8.8.8:8443/x"


def test_what_would_end_on_this_machine_is_refused_even_if_the_operator_allows_it():
    with pytest.raises(NotTaken):
        read("syslog://local7", HOSTED)


def test_a_portal_that_allows_none_says_so():
    with pytest.raises(NotTaken, match="mail only"):
        read(TELEGRAM, [])


def test_no_refusal_repeats_the_address():
    for given in (f"{TELEGRAM}?x=1", "json://secret.example.com", "https://secret.example.com"):
        with pytest.raises(NotTaken) as refused:
            read(given, USUAL)
        assert "secret" not in str(refused.value)
        assert "123456789" not in str(refused.value)


def test_an_address_is_shown_by_its_service_and_last_characters():
    assert masked(TELEGRAM) == "Telegram, ends in 5544"
    assert masked("slack://a/b/c") == "Slack"
    assert addresses.service_of("json://example.com/x") == "json"

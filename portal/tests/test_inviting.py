"""Coming into a cohort: a list, a link for the class, a mail of one's own. Nobody comes in otherwise."""

import re
from datetime import timedelta

import pytest
from allauth.account.models import EmailAddress
from django.core import mail
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from conftest import person
from portal import inviting, name_list, sending
from portal.models import Invitation, InviteLink, User

PASSWORD = {"password1": "quite another 7", "password2": "quite another 7"}


# --- reading a list ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        "Zaw Lin,zaw@example.org",
        "zaw@example.org,Zaw Lin",
        "Name;Email\r\nZaw Lin;ZAW@example.org\r\n",
        "First name\tLast name\tEmail\nZaw\tLin\tzaw@example.org\n",
        "\n Zaw Lin <zaw@example.org> \n\n",
        '"Zaw Lin", "zaw@example.org"',
    ],
)
def test_a_list_is_read_as_people_have_it(text):
    people, bad = name_list.read(text)
    assert [(one.name, one.email) for one in people] == [("Zaw Lin", "zaw@example.org")]
    assert bad == []


def test_each_bad_line_is_named_by_its_number_and_why():
    people, bad = name_list.read(
        "Zaw,zaw@example.org\nnobody\n\nMay,may@\nZaw again,Zaw@example.org\na@b.org c@d.org\n"
    )
    assert [one.line for one in people] == [1]
    assert [(one.line, one.why) for one in bad] == [
        (2, "No address in this line."),
        (4, "may@ is no mail address."),
        (5, "The same address as in line 1."),
        (6, "a@b.org c@d.org is no mail address."),
    ]


@pytest.mark.parametrize("text", ["", "name,email\n", "\n".join(f"p{n}@example.org" for n in range(1001))])
def test_a_list_of_nobody_and_an_endless_one_are_refused(text):
    with pytest.raises(name_list.Unreadable):
        name_list.read(text)


def test_a_file_of_a_spreadsheet_program_is_decoded_and_a_workbook_refused():
    assert name_list.decoded("\ufeffအေး,aye@example.org".encode()) == "အေး,aye@example.org"
    assert name_list.decoded("အေး".encode("utf-16")) == "အေး"
    for content in (b"PK\x03\x04\x00\x00", b"Zo\xe9,zoe@example.org"):
        with pytest.raises(name_list.Unreadable, match="Save it as CSV"):
            name_list.decoded(content)


# --- a list of people --------------------------------------------------------------------------------------


@pytest.mark.django_db
@pytest.mark.usefixtures("clock")
class TestByList:
    def post(self, client, cohort, do, people, **more):
        return client.post(reverse("portal:invite", args=[cohort.slug]), {"do": do, "people": people, **more})

    def test_a_look_says_who_is_new_and_sends_nothing(self, signed_in, chit, cohort, aye, now):
        person("dora")
        inviting.invite(cohort, name_list.read("May,may@example.org")[0], by=chit, now=now)
        text = "Zaw,zaw@example.org\nDora,dora@example.org\nMay,may@example.org\nAye,aye@example.org"
        answer = self.post(signed_in(chit), cohort, "look", text)
        groups = {name: [one.name for one in people] for name, people in answer.context["sorted"]._asdict().items()}
        assert groups == {"new": ["Zaw"], "known": ["Dora"], "waiting": ["May"], "members": ["Aye"]}
        assert Invitation.objects.count() == 1
        assert "Invite 2" in re.sub(r"<[^>]+>", "", answer.content.decode())

    def test_one_bad_line_and_nobody_is_invited_and_the_list_is_kept(self, signed_in, chit, cohort):
        for do in ("look", "invite"):
            answer = self.post(signed_in(chit), cohort, do, "Zaw,zaw@example.org\nMay")
            assert answer.status_code == 422
            html = answer.content.decode()
            assert "Line 2: No address in this line." in html
            assert "Zaw,zaw@example.org\nMay</textarea>" in html
        assert not Invitation.objects.exists()

    def test_a_file_is_looked_at_and_its_lines_come_back_to_be_sent(self, signed_in, chit, cohort):
        file = SimpleUploadedFile("class.csv", "\ufeffName;Mail\nZaw;zaw@example.org".encode())
        answer = self.post(signed_in(chit), cohort, "look", "", file=file)
        assert answer.context["text"] == "Name;Mail\nZaw;zaw@example.org"

    def test_each_gets_a_mail_of_their_own_and_a_second_press_sends_none(self, signed_in, chit, cohort, now):
        client, text = signed_in(chit), "Zaw,zaw@example.org\nMay,may@example.org"
        for _ in range(2):
            assert self.post(client, cohort, "invite", text).status_code == 302
            inviting.send_due(now)
        assert sorted(one.to for one in mail.outbox) == [["may@example.org"], ["zaw@example.org"]]
        assert all(len(one.recipients()) == 1 for one in mail.outbox)
        assert "Hello Zaw" in next(one.body for one in mail.outbox if one.to == ["zaw@example.org"])

    def test_who_let_the_time_pass_may_be_invited_again(self, chit, cohort, now):
        people, _ = name_list.read("zaw@example.org")
        inviting.invite(cohort, people, by=chit, now=now)
        assert inviting.invite(cohort, people, by=chit, now=now + timedelta(days=22)) == 1
        assert Invitation.objects.waiting().count() == 1


# --- accepting ---------------------------------------------------------------------------------------------


def invited(cohort, now, email="zaw@example.org", name="Zaw"):
    """The path in the mail that this person was sent."""
    inviting.invite(cohort, [name_list.Person(1, email, name)], by=None, now=now)
    return sent_to(email, now)


def sent_to(email, now):
    inviting.send_due(now)
    body = next(one.body for one in reversed(mail.outbox) if one.to == [email])
    return re.search(r"https?://[^/]+(/join/\S+)", body)[1]


@pytest.mark.django_db
@pytest.mark.usefixtures("clock")
class TestAccepting:
    def test_the_link_in_the_mail_makes_a_student_who_is_signed_in(self, client, cohort, now):
        path = invited(cohort, now)
        assert 'value="Zaw"' in client.get(path).content.decode()
        assert client.post(path, {"name": "Zaw Lin Tun", **PASSWORD}).url == "/"
        zaw = User.objects.get(email="zaw@example.org")
        assert (zaw.name, cohort.memberships.get(user=zaw).role) == ("Zaw Lin Tun", "student")
        assert client.session["_auth_user_id"] == str(zaw.pk)
        assert EmailAddress.objects.get(user=zaw).verified

    def test_it_works_once(self, client, cohort, now):
        path = invited(cohort, now)
        client.post(path, {"name": "Zaw", **PASSWORD})
        other = Client()
        assert other.post(path, {"name": "Eve", **PASSWORD}).status_code == 404
        assert "This link does not work" in other.get(path).content.decode()
        assert not User.objects.filter(name="Eve").exists()

    def test_a_weak_password_and_two_different_ones_are_told_and_the_name_is_kept(self, client, cohort, now):
        path = invited(cohort, now)
        for one, two, why in (("12345678", "12345678", "too common"), ("a long one 7", "another 77", "not the same")):
            answer = client.post(path, {"name": "Zaw Lin", "password1": one, "password2": two})
            assert answer.status_code == 422
            assert why in answer.content.decode()
            assert 'value="Zaw Lin"' in answer.content.decode()
        assert not User.objects.exists()

    def test_past_its_time_withdrawn_or_replaced_it_lets_nobody_in(self, client, cohort, now, clock):
        old = invited(cohort, now)
        inviting.send_again(Invitation.objects.get(), now=now)
        new = sent_to("zaw@example.org", now)
        assert (client.get(old).status_code, client.get(new).status_code) == (404, 200)
        clock.move_to(now + timedelta(days=22))
        assert client.get(new).status_code == 404
        clock.move_to(now)
        inviting.withdraw(Invitation.objects.get(), now=now)
        assert client.get(new).status_code == 404

    def test_the_database_holds_no_link_that_works(self, cohort, now):
        token = invited(cohort, now).split("/")[2]
        kept = [str(value) for row in Invitation.objects.values() for value in row.values()]
        assert not [value for value in kept if token in value]

    def test_who_has_an_account_joins_with_it_and_only_signed_in(self, client, cohort, other_cohort, aye, bo, now):
        path = invited(other_cohort, now, aye.email)
        html = client.post(path, {"name": "Eve", **PASSWORD}).content.decode()
        assert "Sign in with it" in html
        assert aye.check_password("lights"), "the mail opens no account that is there"
        client.force_login(bo, backend="django.contrib.auth.backends.ModelBackend")
        assert client.post(path).status_code == 422
        client.force_login(aye, backend="django.contrib.auth.backends.ModelBackend")
        assert client.post(path).status_code == 302
        assert {one.user for one in other_cohort.memberships.all()} == {aye}


# --- a link for a class ------------------------------------------------------------------------------------


def a_link(cohort, chit, now, uses=2):
    return inviting.make_link(cohort, uses=uses, lasts=timedelta(days=7), by=chit, now=now)


def ask(client, address, email, name="Zaw"):
    return client.post("/join/" + address.split("/join/")[1], {"name": name, "email": email})


@pytest.mark.django_db
@pytest.mark.usefixtures("clock")
class TestByLink:
    def test_it_is_shown_once_and_kept_as_a_hash(self, signed_in, chit, cohort):
        client, url = signed_in(chit), reverse("portal:invite", args=[cohort.slug])
        html = client.post(url, {"do": "link", "uses": "24", "days": "7"}).content.decode()
        token = re.search(r"/join/([\w-]+)/", html)[1]
        assert token not in client.get(url).content.decode()
        assert token not in InviteLink.objects.get().token_hash
        assert client.get(f"/join/{token}/").status_code == 200

    def test_it_lets_nobody_in_but_has_their_own_link_mailed(self, client, cohort, chit, now):
        _, address = a_link(cohort, chit, now)
        assert "on its way" in ask(client, address, "Zaw@example.org", "Buy this").content.decode()
        assert not User.objects.filter(name="Zaw").exists()
        client.post(sent_to("zaw@example.org", now), {"name": "Zaw", **PASSWORD})
        assert "Buy this" not in mail.outbox[0].body, "what was typed there is not put into a mail of ours"
        assert cohort.memberships.filter(user__email="zaw@example.org").exists()
        assert InviteLink.objects.get().used == 1

    def test_a_member_gets_no_mail_and_the_page_does_not_tell(self, client, cohort, chit, aye, now):
        _, address = a_link(cohort, chit, now)
        pages = [ask(client, address, email).content.decode() for email in ("aye@example.org", "new@example.org")]
        pages = [re.sub(r'name="csrfmiddlewaretoken" value="\w+"', "", page) for page in pages]
        assert pages[0].replace("aye@", "new@") == pages[1]
        inviting.send_due(now)
        assert [one.to for one in mail.outbox] == [["new@example.org"]]

    def test_when_its_places_are_taken_the_next_one_is_told(self, cohort, chit, now):
        _, address = a_link(cohort, chit, now, uses=1)
        for name in ("zaw", "may"):
            ask(Client(), address, f"{name}@example.org")
        first, second = (sent_to(f"{name}@example.org", now) for name in ("zaw", "may"))
        Client().post(first, {"name": "Zaw", **PASSWORD})
        late = Client().post(second, {"name": "May", **PASSWORD})
        assert "All places behind this link are taken" in late.content.decode()
        assert not User.objects.filter(name="May").exists()
        assert Invitation.objects.waiting().get().email == "may@example.org", "it is not used up by that"
        assert ask(Client(), address, "ei@example.org").status_code == 404

    def test_closed_or_past_its_time_it_is_as_if_it_never_was(self, signed_in, client, cohort, chit, now, clock):
        link, address = a_link(cohort, chit, now)
        ask(client, address, "zaw@example.org")
        own = sent_to("zaw@example.org", now)
        clock.move_to(now + timedelta(days=8))
        assert ask(client, address, "may@example.org").status_code == 404
        clock.move_to(now)
        signed_in(chit).post(reverse("portal:close_invite_link", args=[cohort.slug, link.pk]))
        assert ask(Client(), address, "may@example.org").status_code == 404
        assert Client().get(own).status_code == 404, "a mail that came by it goes with it"

    def test_nobody_is_mailed_over_and_over_through_it(self, cohort, chit, now):
        _, address = a_link(cohort, chit, now)
        assert [ask(Client(), address, "zaw@example.org").status_code for _ in range(4)] == [200, 200, 200, 429]


# --- their mails -------------------------------------------------------------------------------------------


@pytest.mark.django_db
@pytest.mark.usefixtures("clock")
class TestMails:
    @pytest.fixture
    def due(self, cohort, now):
        inviting.invite(cohort, name_list.read("zaw@example.org\nmay@example.org")[0], by=None, now=now)

    def test_two_turns_at_once_send_each_mail_once(self, due, now, monkeypatch):
        """The second turn begins while the first one is at its first mail."""
        sends, began = sending.Mail.send, []

        def send(self, letter):
            if not began:
                began.append(letter)
                assert inviting.send_due(now) == 1, "what the first turn is at is left to it"
            return sends(self, letter)

        monkeypatch.setattr(sending.Mail, "send", send)
        inviting.send_due(now)
        assert sorted(one.to[0] for one in mail.outbox) == ["may@example.org", "zaw@example.org"]

    def test_a_mail_server_that_is_away_costs_nothing_but_time(self, due, now, monkeypatch):
        monkeypatch.setattr(sending.Mail, "send", lambda self, letter: sending.NOT_NOW)
        assert inviting.send_due(now) == 0
        monkeypatch.undo()
        assert inviting.send_due(now + timedelta(seconds=20)) == 2

    def test_an_address_that_is_refused_is_tried_again_and_then_given_up_and_told(
        self, due, now, monkeypatch, signed_in, chit, cohort, clock
    ):
        monkeypatch.setattr(sending.Mail, "send", lambda self, letter: "refused")
        at, tries = now, 0
        while Invitation.objects.exclude(mail_due_at=None).exists():
            at = max(at, Invitation.objects.exclude(mail_due_at=None).latest("mail_due_at").mail_due_at)
            inviting.send_due(at)
            tries += 1
        assert tries == inviting.MOST_TRIES
        html = signed_in(chit).get(reverse("portal:invite", args=[cohort.slug])).content.decode()
        assert html.count("Given up: is the address right?") == 2

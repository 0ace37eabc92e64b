"""Who has forgotten a password is told the truth: a link by mail where there is a mail server, else whom to ask."""

import getpass
import re
from typing import Any

import pytest
from django.core import mail
from django.core.management import call_command
from django.test import Client

from tests.factories import make_user

pytestmark = pytest.mark.django_db
PAGE = "/account/password/reset/"
NOWHERE = ["django.core.mail.backends.dummy.EmailBackend", "django.core.mail.backends.console.EmailBackend"]


@pytest.mark.parametrize("backend", NOWHERE)
def test_without_a_mail_server_the_page_says_whom_to_ask_and_promises_nothing(
    backend: str, settings: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    settings.EMAIL_BACKEND = backend
    user = make_user("agent")
    answers = [Client().get(PAGE), Client().post(PAGE, {"email": user.email})]
    for answer in answers:
        text = answer.content.decode()
        assert answer.status_code == 200  # not the page that says that a link is on its way
        assert "No mail server is set up here" in text
        assert "An administrator of this installation can set a new password" in text
        assert "manage.py changepassword" in text
        assert "We send you a link" not in text and "<form" not in text.partition("<main")[2]
    assert "/account/password/reset/key/" not in capsys.readouterr().out


def test_the_command_that_the_page_names_sets_a_new_password(monkeypatch: pytest.MonkeyPatch) -> None:
    user = make_user("admin")
    monkeypatch.setattr(getpass, "getpass", lambda **_prompt: "a rather new password")
    call_command("changepassword", user.email)
    user.refresh_from_db()
    assert user.check_password("a rather new password")


def test_the_mail_is_ours_and_its_link_sets_a_new_password(settings: Any) -> None:
    settings.DEFAULT_FROM_EMAIL = "CLM <clm@example.org>"
    user, browser = make_user("agent"), Client()
    assert browser.post(PAGE, {"email": user.email.upper()}).status_code == 302
    (sent,) = mail.outbox
    assert (sent.from_email, sent.to) == ("CLM <clm@example.org>", [user.email])
    assert sent.subject == "A new password for CLM at testserver"
    assert "example.com" not in sent.body and "Hello from" not in sent.body
    (link,) = re.findall(r"http://testserver(/account/password/reset/key/\S+)", sent.body)
    form = browser.get(link, follow=True)
    words = {"password1": "a rather new password", "password2": "a rather new password"}
    assert browser.post(form.redirect_chain[-1][0], words).status_code == 302
    user.refresh_from_db()
    assert user.check_password("a rather new password")
    assert "no longer works" in browser.get(link, follow=True).content.decode()


def test_a_stranger_whose_address_was_typed_gets_no_mail() -> None:
    assert Client().post(PAGE, {"email": "stranger@example.org"}).status_code == 302
    assert mail.outbox == []

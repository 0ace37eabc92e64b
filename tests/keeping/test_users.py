"""Who may sign in, on the pages: inviting, changing, shutting out, letting in again."""

import re
from typing import Any

import pytest
from django.core import mail
from django.test import Client

from clm.lib.access.models import ApiKey, Role, User
from tests.factories import PASSWORD, make_user
from tests.keeping.conftest import faults, said

ADA = {"name": "Ada L", "email": "Ada@Example.org", "role": "agent", "time_zone": "Europe/London"}


def link_in(text: str) -> str:
    (found,) = set(re.findall(r"http://testserver(/account/password/reset/key/\S+?)(?=[<\s])", text))
    return found


def choose(link: str, password: str) -> Any:
    """Follow a link as somebody who is not signed in, and choose a password."""
    visitor = Client()
    form = visitor.get(link, follow=True)
    return visitor.post(form.context["action_url"], {"password1": password, "password2": password}, follow=True)


def test_without_a_mail_server_a_link_is_shown_once_by_which_a_password_is_chosen(
    admin: Client, without_mail: None
) -> None:
    answer = admin.post("/users/new/", {**ADA, "way": "link"})
    assert answer.status_code == 200
    assert "no-store" in answer["Cache-Control"]
    link = link_in(answer.content.decode())
    ada = User.objects.get(email="ada@example.org")
    assert not ada.has_usable_password()
    assert "reset/key" not in admin.get(f"/users/{ada.pk}/").content.decode()
    assert choose(link, "engine of analysis").status_code == 200
    assert Client().login(username="ada@example.org", password="engine of analysis")
    assert "no longer works" in Client().get(link, follow=True).content.decode()


def test_with_a_mail_server_the_link_goes_by_mail(admin: Client) -> None:
    answer = admin.post("/users/new/", {**ADA, "way": "link"}, follow=True)
    assert "ada@example.org" in said(answer)[0]
    (message,) = mail.outbox
    assert message.to == ["ada@example.org"]
    assert "Ada L" in message.body
    assert "{" not in message.body
    choose(link_in(message.body + "\n"), "engine of analysis")
    assert Client().login(username="ada@example.org", password="engine of analysis")


def test_a_mail_server_that_does_not_answer_leaves_the_link(admin: Client, settings: Any) -> None:
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 1
    text = admin.post("/users/new/", {**ADA, "way": "link"}).content.decode()
    assert "did not take the message" in text
    assert link_in(text)


def test_a_first_password_is_told(admin: Client) -> None:
    admin.post("/users/new/", {**ADA, "way": "password", "password": "engine of analysis"})
    assert Client().login(username="ada@example.org", password="engine of analysis")
    assert mail.outbox == []


def test_every_fault_is_named_at_once_and_what_was_typed_stays(admin: Client) -> None:
    told = {"name": "Ada  ", "email": "ada", "role": "king", "time_zone": "Mars/Base", "way": "password"}
    answer = admin.post("/users/new/", told)
    assert answer.status_code == 422
    assert set(faults(answer)) == {"email", "role", "time_zone", "password"}
    assert 'value="ada"' in answer.content.decode()
    assert User.objects.count() == len(Role)


def test_a_bad_password_and_a_long_name_are_named_together(admin: Client) -> None:
    answer = admin.post("/users/new/", {**ADA, "name": "x" * 200, "way": "password", "password": "password"})
    assert set(faults(answer)) == {"name", "password"}


def test_a_taken_address_leads_to_whoever_has_it(admin: Client) -> None:
    bea = make_user("viewer", "bea@example.org")
    answer = admin.post("/users/new/", {**ADA, "email": "BEA@example.org", "way": "link", "role": ""})
    assert set(faults(answer)) == {"email", "role"}
    assert f'href="/users/{bea.pk}/"' in faults(answer)["email"]


def test_a_user_is_changed_and_keys_of_their_own_follow_the_role(admin: Client, people: dict[str, User]) -> None:
    marketer = people["marketer"]
    _key, secret = ApiKey.issue(name="mine", role=Role.MARKETER, owner=marketer)
    told = {"name": "Mia", "email": marketer.email, "role": "viewer", "time_zone": "UTC"}
    assert said(admin.post(f"/users/{marketer.pk}/", told, follow=True)) == ["Saved."]
    marketer.refresh_from_db()
    assert (marketer.name, marketer.role) == ("Mia", "viewer")
    me = Client(headers={"Authorization": f"Bearer {secret}"}).get("/api/v1/me/").json()
    assert me["role"] == "viewer"
    assert said(admin.post(f"/users/{marketer.pk}/", told, follow=True)) == ["Nothing was different."]


def test_another_address_shuts_the_old_one_out(admin: Client, people: dict[str, User]) -> None:
    agent = people["agent"]
    old = agent.email
    choose(link_in(mail_of(admin, agent)), "engine of analysis")  # the login library remembers addresses by now
    admin.post(f"/users/{agent.pk}/", {"name": "", "email": "new@example.org", "role": "agent", "time_zone": "UTC"})
    assert not Client().login(username=old, password="engine of analysis")
    signed = Client().post("/account/login/", {"login": old, "password": "engine of analysis"})
    assert signed.status_code == 200
    signed = Client().post("/account/login/", {"login": "new@example.org", "password": "engine of analysis"})
    assert signed.status_code == 302


def mail_of(admin: Client, user: User) -> str:
    admin.post(f"/users/{user.pk}/link/")
    return str(mail.outbox[-1].body) + "\n"


def test_the_last_admin_can_be_neither_demoted_nor_shut_out(admin: Client, people: dict[str, User]) -> None:
    me = people["admin"]
    told = {"name": "", "email": me.email, "role": "viewer", "time_zone": "UTC"}
    assert "last admin" in faults(admin.post(f"/users/{me.pk}/", told))["__all__"]
    answer = admin.post(f"/users/{me.pk}/access/")
    assert answer.status_code == 409
    assert "last admin" in answer.content.decode()
    me.refresh_from_db()
    assert (me.role, me.is_active) == ("admin", True)


def test_somebody_is_shut_out_at_once_and_let_in_again(admin: Client, browsers: dict[str, Client]) -> None:
    agent = User.objects.get(role="agent")
    _key, secret = ApiKey.issue(name="mine", role=Role.AGENT, owner=agent)
    machine = Client(headers={"Authorization": f"Bearer {secret}"})
    assert "signed out everywhere" in admin.get(f"/users/{agent.pk}/access/").content.decode()
    admin.post(f"/users/{agent.pk}/access/")
    assert browsers["agent"].get("/customers/").status_code == 302
    assert not Client().login(username=agent.email, password=PASSWORD)
    assert machine.get("/api/v1/me/").status_code == 401
    assert "reactivate" in said(admin.get(f"/users/{agent.pk}/link/", follow=True))[-1]
    admin.post(f"/users/{agent.pk}/access/")
    assert machine.get("/api/v1/me/").status_code == 200
    assert Client().login(username=agent.email, password=PASSWORD)


def test_shutting_out_sent_twice_does_not_let_in_again(admin: Client, people: dict[str, User]) -> None:
    agent = people["agent"]
    assert 'name="access" value="off"' in admin.get(f"/users/{agent.pk}/access/").content.decode()
    for _ in range(2):
        admin.post(f"/users/{agent.pk}/access/", {"access": "off"})
        agent.refresh_from_db()
        assert not agent.is_active
    assert 'name="access" value="on"' in admin.get(f"/users/{agent.pk}/access/").content.decode()


def test_the_list_is_narrowed_by_its_address_and_says_when_somebody_was_last_seen(
    admin: Client, browsers: dict[str, Client]
) -> None:
    make_user("agent", "zoe@example.org")
    User.objects.filter(role="viewer").update(is_active=False)
    browsers["marketer"].get("/")

    def listed(query: str) -> set[str]:
        return {one.role for one in admin.get(f"/users/{query}").context["users"]}

    assert listed("") == set(Role.values)
    assert listed("?role=agent") == {"agent"}
    assert listed("?state=off") == {"viewer"}
    assert [one.email for one in admin.get("/users/?search=ZOE").context["users"]] == ["zoe@example.org"]
    assert listed("?role=viewer") == set()
    assert User.objects.get(role="marketer").last_seen_at is not None
    assert User.objects.get(email="zoe@example.org").last_seen_at is None
    assert admin.get("/users/?role=king").status_code == 400


def test_being_seen_again_at_once_writes_nothing(admin: Client) -> None:
    admin.get("/account/")
    me = User.objects.get(role="admin")
    before = me.last_seen_at
    admin.get("/account/")
    me.refresh_from_db()
    assert me.last_seen_at == before


@pytest.mark.parametrize("role", ["viewer", "agent", "marketer"])
def test_only_admins_are_offered_these_pages(role: str, browsers: dict[str, Client]) -> None:
    text = browsers[role].get("/account/").content.decode()
    assert 'href="/users/"' not in text
    assert 'href="/keys/"' not in text
    assert browsers[role].get("/users/").status_code == 403

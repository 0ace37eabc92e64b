"""Every page can be asked how things stood at an earlier instant, and what was known at another; nobody is thrown off
the page, and the dates go along wherever one goes."""

import datetime as dt
import re
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from playwright.sync_api import Page, expect

from clm.lib.milliseconds import written
from customers.ingest import clock, ingest
from customers.merge import merge, unmerge
from customers.models import Account, Affiliation, Cause, Customer
from lifecycle.advance import advance
from lifecycle.models import Placement, StageModel
from lifecycle.place import place
from tests.pages.conftest import Shop, faults, look, overflow

PAGES = ["/", "/customers/", "/customers/?stage=lapsed", "/customers/{customer}/", "/metrics/", "/models/seven/"]


@pytest.fixture
def viewer(shop: Shop) -> Client:
    return shop.client("admin")


def day_of(shop: Shop, days_ago: float) -> str:
    return f"{(shop.now - dt.timedelta(days=days_ago)).date()}"


def words(answer: Any) -> str:
    text = re.search(r"<main\b.*?</main>", answer.content.decode(), re.DOTALL)
    assert text is not None
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", text[0]))


@pytest.mark.parametrize("path", PAGES)
def test_the_control_keeps_one_on_the_page(path: str, shop: Shop, viewer: Client) -> None:
    path = path.format(customer=shop.customer("1005").pk)
    more = "&" if "?" in path else "?"
    sent = viewer.get(f"{path}{more}as_of={day_of(shop, 40)}&as_of_time=&known_at=&known_time=")
    assert sent.status_code == 302
    assert sent["Location"] == f"{path}{more}as_of={day_of(shop, 40)}"
    shown = viewer.get(sent["Location"])
    assert shown.status_code == 200
    assert f'action="{path.partition("?")[0]}"' in shown.content.decode()
    # Wherever one goes from here the date goes along, if a day can be asked about there.
    links = re.findall(r'class="nav-link" href="([^"]+)"', shown.content.decode())
    by_page = {link.partition("?")[0]: link for link in links}
    for page in ("/", "/customers/", "/movement/", "/metrics/"):
        assert f"as_of={day_of(shop, 40)}" in by_page[page]


@pytest.mark.parametrize(
    "path",
    [
        "/accounts/{account}/",
        "/customers/merge/?search=novak",
        "/customers/{customer}/merge/?search=novak",
        "/customers/{customer}/merge/?with={other}",
        "/search/?search=novak",
    ],
)
def test_every_link_to_a_customer_takes_the_dates_along(path: str, shop: Shop, viewer: Client) -> None:
    one, other = (shop.customer(person).pk for person in ("1005", "1011"))
    path = path.format(customer=one, other=other, account=shop.account)
    shown = viewer.get(f"{path}{'&' if '?' in path else '?'}as_of=2026-07-01").content.decode()
    main = re.sub(r'<nav class="crumbs".*?</nav>', "", shown.partition("<main")[2], flags=re.DOTALL)
    links = re.findall(r'href="(/customers/\d+/(?:[?#][^"]*)?)"', main)
    assert links
    assert [link for link in links if "as_of=2026-07-01" not in link] == []


def test_a_time_of_day_makes_an_instant_of_the_date(shop: Shop, viewer: Client) -> None:
    sent = viewer.get("/customers/?as_of=2026-07-01&as_of_time=14:30&known_at=2026-07-02&known_time=09:00&search=n")
    assert sent["Location"] == (
        "/customers/?as_of=2026-07-01T13%3A30%3A00.000Z&known_at=2026-07-02T08%3A00%3A00.000Z&search=n"
    )
    assert "1 Jul 2026, 14:30" in viewer.get(sent["Location"]).content.decode()


def test_what_cannot_be_asked_says_why_and_leads_back(shop: Shop, viewer: Client) -> None:
    for path, said in (
        ("/customers/?as_of=2026-07-02&known_at=2026-07-01", "Nothing was known of this instant then"),
        ("/customers/?as_of=2199-01-01", "nothing is known of it yet"),
        ("/models/seven/?known_at=soon", "“soon” is no date"),
        ("/segments/active_customer/?as_of=2026-13-01", "“2026-13-01” is no date"),
        ("/?as_of=soon", "“soon” is no date"),
        ("/system/?as_of=soon", "“soon” is no date"),
    ):
        answer = viewer.get(path)
        assert answer.status_code == 400, path
        assert said in words(answer), path
        # The page is there, and the fault stands at the field to mend.
        name, page = ("known-at" if "known_at=soon" in path else "as-of"), answer.content.decode()
        assert "<h1" in page and "The page is shown without this date." in page
        assert f'aria-describedby="{name}-help {name}-error" aria-invalid="true"' in page
        assert 'name="as_of" value=""' in page
    # A file of another day than the one asked for is none, and nothing is done by an address that cannot be read.
    file = viewer.get("/segments/active_customer/members.csv?as_of=soon")
    assert (file.status_code, file.streaming) == (400, False)
    assert viewer.post("/segments/active_customer/?as_of=soon").status_code == 400
    known = words(viewer.get(f"/metrics/?known_at={day_of(shop, 1)}"))
    assert "“As known on” changes nothing here: figures are added up from what is known today" in known
    assert "This page shows the present" in words(viewer.get(f"/system/?as_of={day_of(shop, 1)}"))


def test_a_customer_is_shown_as_it_stood(shop: Shop, viewer: Client) -> None:
    person = "1200"
    told = [
        shop.order(person, 300, traits={"name": "Early Name", "plan": "free"}),
        shop.order(person, 20, traits={"name": "Late Name", "plan": "pro"}),
    ]
    shop.tell(told)
    page = f"/customers/{shop.customer(person).pk}/"
    now, then = viewer.get(page), viewer.get(f"{page}?as_of={day_of(shop, 100)}")
    assert [row.value for row in now.context["traits"]] == ["Late Name", "pro"]
    assert [row.value for row in then.context["traits"]] == ["Early Name", "free"]
    assert (now.context["customer"].orders, then.context["customer"].orders) == (2, 1)
    assert len(then.context["timeline"].entries) < len(now.context["timeline"].entries)
    row, _sentence = then.context["standings"][0]
    assert row.stage.key == "lapsed"
    assert then.context["why"].stage.key == "lapsed"
    assert all(band.left is None for band in [life.spells[-1] for life in then.context["stays"]])
    # Seen from the day after the order, lapsing lay ahead; what happened later is not used.
    early = viewer.get(f"{page}?as_of={day_of(shop, 290)}")
    row, _sentence = early.context["standings"][0]
    assert (row.stage.key, row.next.stage.key) == ("acquisition", "lapsed")
    assert early.context["why"].next.at == row.next.at


def test_the_list_and_its_links_carry_the_dates(shop: Shop, viewer: Client) -> None:
    answer = viewer.get(f"/customers/?as_of={day_of(shop, 60)}&stage=acquisition")
    assert answer.status_code == 200
    found = re.findall(r'class="row-link" href="([^"]+)"', answer.content.decode())
    assert found
    assert all(link.endswith(f"?as_of={day_of(shop, 60)}") for link in found)
    assert viewer.get(found[0]).context["standings"][0][0].stage.key == "acquisition"
    model = viewer.get(f"/models/seven/?as_of={day_of(shop, 60)}")
    (counted,) = [row.customers for row in model.context["stages"] if row.stage.key == "acquisition"]
    assert counted == answer.context["matching"].number


def test_how_long_ago_something_was_is_counted_from_the_instant_asked_about(shop: Shop, viewer: Client) -> None:
    shop.tell([shop.order("1215", 33), shop.order("1215", 28)])
    customer = shop.customer("1215").pk
    day = day_of(shop, 31)
    for address in (f"/customers/{customer}/", "/customers/?search=customer215%40example.org"):
        page = viewer.get(f"{address}{'&' if '?' in address else '?'}as_of={day}").content.decode()
        told = [one for one in re.findall(r"<time[^>]*>([^<]+)</time>", page) if one.endswith(" ago")]
        assert "2 days ago" in told, (address, told)
        assert "33 days ago" not in told


def test_the_head_of_the_list_counts_whom_there_were_then(
    shop: Shop, viewer: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop.tell([shop.order("1210", 2)])
    then = f"/customers/?as_of={day_of(shop, 60)}"
    told = viewer.get(then).context
    met = told["matching"].number
    assert 0 < met < told["everybody"].number
    assert told["everybody_said"] == str(met)
    for narrowed in ("&stage=acquisition", "&search=nobody-is-called-so", "&who=anonymous"):
        told = viewer.get(f"{then}{narrowed}").context
        assert told["matching"].number < met
        assert told["everybody_said"] == str(met)
    # Where more match than can be sorted, the head and the line below it say the same; nobody counts without an end.
    monkeypatch.setattr("analytics.customer_list.EXACT_AS_OF", 5)
    told = viewer.get(then).context
    assert told["everybody_said"] == told["matching_said"] == str(met)
    monkeypatch.setattr("analytics.customer_list.COUNTED", 6)
    told = viewer.get(then).context
    assert told["everybody_said"] == told["matching_said"] == "more than 6"


def test_the_overview_shows_stages_moves_and_active_customers_as_known_then(shop: Shop, viewer: Client) -> None:
    shop.tell([shop.order("1206", 400), shop.order("1207", 300), shop.order("1207", 260)])
    narrowed = "segment=active_customer&period=90d&model=cycle"
    stood, inside = viewer.get("/"), viewer.get(f"/?{narrowed}")
    before = written(clock())
    shop.tell([shop.order("1206", 20), shop.order("1207", 15), shop.order("1208", 90)])
    now, then = viewer.get("/"), viewer.get(f"/?known_at={before}")
    again = viewer.get(f"/?{narrowed}&known_at={before}")
    assert then.status_code == again.status_code == 200
    for was, told in ((stood, then), (inside, again)):
        assert told.context["stages"] == was.context["stages"]
        assert told.context["moved"] == was.context["moved"]
        assert told.context["active"].lines == was.context["active"].lines
    assert now.context["stages"] != then.context["stages"]
    assert now.context["active"].lines != then.context["active"].lines
    said = words(then)
    assert "as known on" in said
    assert "The key figures are added up from what is known today" in said
    assert "These six figures are as known today" in said
    # A bar leads to the customers it counts, by the same belief.
    (lapsed,) = [row for row in then.context["stages"] if row.stage.key == "lapsed"]
    link = re.search(r'href="(/customers/\?model=seven&amp;stage=lapsed[^"]+)"', then.content.decode())
    assert link is not None
    listed = viewer.get(link[1].replace("&amp;", "&"))
    assert listed.context["matching"].number == lapsed.customers
    scope = viewer.get(f"/overview.json?known_at={before}").json()["scope"]
    assert (scope["stages_known_at"], scope["as_of"]) == (before, before)
    assert viewer.get(f"/?as_of={day_of(shop, 30)}&known_at={day_of(shop, 10)}").status_code == 200
    assert viewer.get(f"/?as_of={day_of(shop, 0)}&known_at={day_of(shop, 0)}").status_code == 200


def test_what_was_known_before_a_merge_is_two_customers(shop: Shop, viewer: Client) -> None:
    shop.tell([shop.order("1201", 250), shop.order("1202", 30)])
    one, other = shop.customer("1201").pk, shop.customer("1202").pk
    before = written(clock())
    merge(customers=(one, other), now=clock())
    while advance().customers:
        pass
    absorbed = Customer.objects.get(pk=max(one, other))
    assert viewer.get(f"/customers/{absorbed.pk}/").status_code == 302
    then = viewer.get(f"/customers/{absorbed.pk}/?known_at={before}")
    assert then.status_code == 200
    assert then.context["customer"].orders == 1
    assert then.context["standings"][0][0].stage is not None
    listed = viewer.get(f"/customers/?known_at={before}&search=customer{int('1202') - 1000}@example.org")
    assert absorbed.pk in [row.id for row in listed.context["rows"]]


def test_whoever_comes_back_from_a_merge_is_told_to_have_come_back(shop: Shop, viewer: Client) -> None:
    shop.tell([shop.order("1211", 250), shop.order("1212", 200)])
    one, other = shop.customer("1211").pk, shop.customer("1212").pk
    undone = merge(customers=(one, other), now=clock())
    while advance().customers:
        pass
    unmerge(merge=undone.pk, now=clock())
    while advance().customers:
        pass
    page = viewer.get(f"/customers/{max(one, other)}/")
    assert page.context["standings"][0][0].stage.key == "lapsed"
    back, away = page.context["notes"]
    told = [
        [
            (one.before and one.before.key, one.stage and one.stage.key)
            for one in note.changes
            if one.model.key == "seven"
        ]
        for note in (back, away)
    ]
    assert (back.cause, away.cause) == (Cause.UNMERGE, None)
    assert (None, "lapsed") in told[0] and ("lapsed", None) in told[1]
    said = words(page)
    assert said.index("We learnt of an undone merge") < said.index("Something we had believed was taken back")


def test_a_late_fact_is_told_on_the_page_with_what_was_believed_before(shop: Shop, viewer: Client) -> None:
    shop.tell([shop.order("1203", 200)])
    page = f"/customers/{shop.customer('1203').pk}/"
    assert viewer.get(page).context["notes"] == ()
    ingest(source=shop.source, events=[shop.order("1203", 100)], cause=Cause.LATE)
    while advance().customers:
        pass
    answer = viewer.get(page)
    (note,) = answer.context["notes"]
    assert note.cause == Cause.LATE
    assert {(one.before.key, one.stage.key) for one in note.changes if one.model.key == "seven"} == {
        ("acquisition", "retention"),
        ("lapsed", "retention"),
    }
    assert "What we learnt later" in words(answer)
    # The link shows what was believed before it was learnt, and there is no note of it there.
    before = viewer.get(f"{page}?known_at={note.before_text}")
    assert before.context["standings"][0][0].stage.key == "lapsed"
    assert before.context["notes"] == ()


def test_the_dates_are_chosen_by_keyboard_and_everything_is_named(shop: Shop, agent: Page) -> None:
    page = f"{shop.url}/customers/{shop.customer('1005').pk}/"
    for theme, width in (("light", 1280), ("dark", 390)):
        agent.emulate_media(color_scheme=theme)  # type: ignore[arg-type]
        agent.set_viewport_size({"width": width, "height": 800})
        look(agent, f"{page}?still=1")
        agent.get_by_role("button", name="As of now").focus()
        agent.keyboard.press("Enter")
        assert faults(agent) == [], theme
        agent.get_by_label("As of: date").fill(day_of(shop, 30))
        agent.keyboard.press("Enter")
        expect(agent).to_have_url(re.compile(f"as_of={day_of(shop, 30)}"))
        expect(agent.locator(".dates-notice")).to_contain_text("You see how things stood as of the end of")
        assert agent.url.startswith(page)
        assert faults(agent) == [], theme
        assert not overflow(agent), theme
        agent.locator(".dates-notice").get_by_role("link", name="Back to now").click()
        expect(agent.locator(".dates-notice")).to_have_count(0)


def test_reasons_are_put_in_place_without_leaving_the_page(shop: Shop, agent: Page) -> None:
    look(agent, f"{shop.url}/customers/{shop.customer('1005').pk}/")
    agent.evaluate("window.here = true")
    spell = agent.locator("#spell-five-1")
    spell.focus()
    agent.keyboard.press("Enter")
    expect(agent).to_have_url(re.compile("model=five"))
    expect(agent.locator("#why-title")).to_be_focused()
    expect(agent.locator("#spell-five-1")).to_have_attribute("aria-current", "true")
    assert agent.evaluate("window.here") is True
    agent.locator("#segments-title").scroll_into_view_if_needed()
    agent.locator(".memberships a").first.click()
    expect(agent.locator("#why-title")).to_contain_text("Why in")
    assert agent.evaluate("window.here") is True
    assert faults(agent) == []


def test_a_reason_leads_to_the_touchpoint_behind_it(shop: Shop, agent: Page) -> None:
    look(agent, f"{shop.url}/customers/{shop.customer('1005').pk}/")
    agent.locator(".why-others > summary").click()
    first = agent.locator(".why-stage.deciding .node-parts > summary").first
    if first.count():
        first.click()
    link = agent.locator(".why-stage.deciding .node-touchpoints a").first
    address = link.get_attribute("href") or ""
    link.click()
    expect(agent.locator(f"#{address.partition('#')[2]}")).to_be_visible()


def test_somebody_sets_a_stage_by_hand_and_ends_it_by_keyboard(shop: Shop, sign_in: Callable[[str], Page]) -> None:
    page, customer = sign_in("agent"), shop.customer("1007")
    look(page, f"{shop.url}/customers/{customer.pk}/")
    page.get_by_role("link", name="Set a stage by hand").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("Set a stage by hand")
    assert faults(page) == []
    page.get_by_label("Stage", exact=True).focus()
    page.get_by_label("Stage", exact=True).select_option("seven:advocacy")
    page.keyboard.press("Tab")
    page.get_by_label("Why", exact=True).fill("Speaks at our fair")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.get_by_text("The stage is set.")).to_be_visible()
    # It is seen wherever it acts.
    expect(page.locator(".standings .chip").first).to_have_text("Advocacy")
    expect(page.locator("#why")).to_contain_text("Set to Advocacy by hand by Joan agent")
    expect(page.locator("#by-hand")).to_contain_text("Speaks at our fair")
    expect(page.locator("#stage-band")).to_contain_text("set by hand")
    assert faults(page) == []
    page.goto(f"{shop.url}/customers/?stage=advocacy")
    expect(page.locator("tr", has_text="set by hand").or_(page.locator("tr:has(.by-hand-mark)")).first).to_be_visible()
    page.goto(f"{shop.url}/models/seven/")
    expect(page.locator("#advocacy")).to_contain_text("1 of them was put here by hand")

    page.goto(f"{shop.url}/customers/{customer.pk}/")
    page.get_by_role("button", name="End now").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_text("It has ended; the rules decide again.")).to_be_visible()
    expect(page.locator(".standings .chip").first).not_to_have_text("Advocacy")
    assert Placement.objects.get(profile__customer=customer).until_at is not None


def test_a_form_says_what_is_wrong_with_a_placement(shop: Shop) -> None:
    client = shop.client("agent")
    address = f"/customers/{shop.customer('1008').pk}/place/"
    right = {"stage": "seven:advocacy", "reason": "because"}
    for field, wrong in (
        ("reason", {"reason": " "}),
        ("stage", {"stage": "seven:nowhere"}),
        ("until_at", {"from_at": "2026-03-02T00:00", "until_at": "2026-03-01T00:00"}),
    ):
        answer = client.post(address, {**right, **wrong})
        assert answer.status_code == 422
        assert field in answer.context["form"].errors
    client.force_login(shop.people["viewer"])
    assert client.get(address).status_code == 403


def test_a_placement_of_the_future_is_taken_back_on_the_page(shop: Shop) -> None:
    customer = shop.customer("1009").pk
    model = StageModel.objects.get(key="seven").pk
    ahead = clock() + dt.timedelta(days=3)
    placed = place(customer=customer, model=model, stage="advocacy", reason="r", now=clock(), from_at=ahead)
    client = shop.client("agent")
    ended = client.post(f"/customers/{customer}/placements/{placed.pk}/end/", follow=True)
    assert "It has not begun by then" in ended.content.decode()
    client.post(f"/customers/{customer}/placements/{placed.pk}/withdraw/")
    placed.refresh_from_db()
    assert placed.withdrawn_at is not None
    assert client.post(f"/customers/{customer}/placements/0/end/").status_code == 404


def test_a_customers_head_names_the_accounts_it_belonged_to_that_day(shop: Shop, viewer: Client) -> None:
    person = shop.customer("1031")
    profile = person.profiles.first()
    assert profile is not None
    spans = {"Harbour Mills": (200, 60), "Quince & Sons": (60, None), "": (30, None), "Left Long Ago": (200, 100)}
    ids = {}
    for name, (since, until) in spans.items():
        account = Account.objects.create(key=f"head {name or 'nameless'}", name=name)
        ids[name] = account.pk
        Affiliation.objects.create(
            profile=profile,
            account=account,
            from_at=shop.now - dt.timedelta(days=since),
            until_at=None if until is None else shop.now - dt.timedelta(days=until),
        )

    def named(query: str) -> list[tuple[str, str]]:
        shown = viewer.get(f"/customers/{person.pk}/{query}").content.decode()
        found = re.findall(r'href="(/accounts/\d+/)[^"]*"><bdi>([^<]*)</bdi>', shown)
        return [(str(where), str(name)) for where, name in found]

    now = [(f"/accounts/{ids['']}/", "head nameless"), (f"/accounts/{ids['Quince & Sons']}/", "Quince &amp; Sons")]
    assert named("") == now
    assert named(f"?as_of={day_of(shop, 80)}") == [(f"/accounts/{ids['Harbour Mills']}/", "Harbour Mills")]

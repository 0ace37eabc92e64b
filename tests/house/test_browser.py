"""The browser's complaints reach the test that caused them."""

import pytest
from playwright.sync_api import Page, Route

STRICT = {"Content-Security-Policy": "default-src 'none'; script-src 'self'"}


@pytest.fixture
def page(page_without_errors: Page) -> Page:
    def serve(route: Route) -> None:
        if route.request.url.endswith(".js"):
            route.fulfill(body="missing()", content_type="text/javascript")
        elif route.request.url.endswith("/"):
            body = (
                "<title>t</title><script>document.title = 'ran'</script><script src='/a.js'></script><img src='/x.png'>"
            )
            route.fulfill(body=body, content_type="text/html", headers=STRICT)
        else:
            route.fulfill(status=404)

    page_without_errors.route("**/*", serve)
    return page_without_errors


def test_refused_scripts_and_images_and_errors_in_scripts_are_noted(page, complaints):
    page.goto("http://127.0.0.1:9/")
    assert page.title() == "t"
    noted = "\n".join(complaints)
    assert "policy: script-src-elem refused inline" in noted
    assert "policy: img-src refused http://127.0.0.1:9/x.png" in noted
    assert "raised: missing is not defined" in noted
    complaints.clear()

"""How icons are drawn into pages."""

from django.utils.safestring import mark_safe

from clm.lib.templatetags.icons import icon


def test_a_label_is_escaped_unless_it_is_mark_up_already_whichever_was_drawn_first() -> None:
    plain, markup = "a & b", mark_safe("a & b")
    for _again in range(2):
        assert 'aria-label="a &amp; b"' in icon("check", label=plain)
        assert 'aria-label="a & b"' in icon("check", label=markup)


def test_an_icon_without_a_label_is_hidden_from_screen_readers() -> None:
    assert icon("check") == icon("check", label="")
    assert 'aria-hidden="true"' in icon("check") and "aria-label" not in icon("check")

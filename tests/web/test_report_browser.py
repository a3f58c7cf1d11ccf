"""The page in a real browser: wide, narrow, light, dark, by keyboard, on paper, unscripted."""

import shutil
import subprocess

import pytest
import report_fixture as fixture

from imrep import report

pytestmark = pytest.mark.browser

PLOTS = ["cost", "differences", "labels", "reliability", "stability", "similarity"]


def overflow(page):
    return page.evaluate("document.documentElement.scrollWidth - innerWidth")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(("width", "form"), [(1280, "wide"), (768, "wide"), (390, "narrow")])
def test_every_plot_is_drawn_and_nothing_sticks_out(open_page, tied, width, form, scheme):
    page = open_page(tied, width, scheme)
    assert overflow(page) == 0
    figures = page.query_selector_all("figure.plot")
    assert [figure.get_attribute("data-chart") for figure in figures] == PLOTS
    for figure in figures:
        if figure.get_attribute("data-chart") != "reliability":  # never as wide
            assert figure.get_attribute("data-drawn") == form
        svg = figure.query_selector("svg")
        assert svg.bounding_box()["width"] <= figure.bounding_box()["width"] + 0.5
        assert len(svg.query_selector_all("g.mark-symbol path, g.mark-rect path")) > 5


@pytest.mark.parametrize("width", [1280, 390])
def test_no_name_in_a_plot_is_cut(open_page, tied, width):
    page = open_page(tied, width)
    cut = page.evaluate(
        """() => [...document.querySelectorAll("figure.plot svg text")].filter((text) => {
             const word = text.getBoundingClientRect();
             const room = text.closest("figure").getBoundingClientRect();
             return word.width && (word.left < room.left - 1 || word.right > room.right + 1
               || (text.textContent.endsWith("…") && text.textContent.length < 20));
           }).map((text) => text.textContent)"""
    )
    assert cut == []
    for name in ("cnn resnet50.a1_in1k (random)", "hog cell=4 layout=dalal"):
        rows = page.query_selector("[data-chart=differences] svg").text_content()
        assert name in rows


def first_column(page, table="#table-main"):
    return page.eval_on_selector_all(f"{table} tbody .spec", "all => all.map(e => e.textContent)")


def test_the_table_sorts_by_click_and_by_key_and_costs_cheapest_first(open_page, tied):
    page = open_page(tied)
    assert first_column(page)[0] == "dct"
    cost = page.get_by_role("button", name="ms per image")
    cost.click()
    head = page.locator("#table-main th", has=cost)
    assert head.get_attribute("aria-sort") == "ascending"
    least = first_column(page)
    assert least[0] == "fourier"
    assert least.index("fourier") < least.index("dct") < least.index("sift")
    cost.focus()
    page.keyboard.press("Enter")
    assert head.get_attribute("aria-sort") == "descending"
    assert first_column(page)[0].startswith("cnn:arch=resnet50")
    assert page.locator("#status").text_content() == "Sorted by ms per image, descending."
    page.locator("#table-main thead button").first.press("Space")
    names = first_column(page)
    ranked = names[: -len(fixture.CONTROLS)]
    assert ranked == sorted(ranked, key=lambda name: name.lower().replace(":", ""))
    assert head.get_attribute("aria-sort") is None


def test_the_table_says_how_it_is_sorted_at_first_and_controls_stay_below(open_page, tied):
    page = open_page(tied)
    accuracy = page.get_by_role("button", name="accuracy", exact=True)
    head = page.locator("#table-main th", has=accuracy).first
    assert head.get_attribute("aria-sort") == "descending"
    accuracy.click()
    assert head.get_attribute("aria-sort") == "ascending"
    names = first_column(page)
    assert names[0] == "laplacian" and set(names[-4:]) == set(fixture.CONTROLS)
    by = page.get_by_role("button", name="by", exact=True)
    by.click()
    cells = page.eval_on_selector_all(
        "#table-main tbody:first-of-type td.wordy", "all => all.map(e => e.textContent)"
    )
    assert cells == sorted(cells)


def test_unknown_values_sort_last_both_ways(open_page, tied):
    page = open_page(tied)
    kept = page.get_by_role("button", name="R² image")
    for _ in range(2):
        kept.click()
        assert set(first_column(page)[-4:]) == set(fixture.CONTROLS)


def answers(page):
    return page.eval_on_selector_all(".answers button", "all => all.map(e => e.title)")


def asked_for(page):
    return page.locator(".query-image .note").text_content()


def test_any_picture_can_be_asked_for(open_page, tied):
    page = open_page(tied)
    before = answers(page)
    assert len(before) == 5 * len(fixture.SPECS)
    page.locator(".sheet [role=option]").nth(77).click()
    assert answers(page) != before
    assert asked_for(page).endswith("0077.png")
    wanted = page.locator(".answers button").nth(3)
    title = wanted.get_attribute("title")
    wanted.click()
    assert title.endswith(asked_for(page))
    assert page.locator(".sheet [aria-selected=true]").count() == 1


def test_neighbours_are_those_of_the_file(open_page, tied):
    page = open_page(tied)
    known = fixture.assets(count=120)
    page.locator(".sheet [role=option]").nth(64).click()
    first = [known.paths[i] for i in known.neighbours["dct"][64]]
    assert [title.split(", ")[-1] for title in answers(page)[:5]] == first
    labels = [known.labels[i] == known.labels[64] for i in known.neighbours["dct"][64]]
    framed = page.eval_on_selector_all(
        ".answers button", "all => all.slice(0, 5).map(e => e.classList.contains('same'))"
    )
    assert framed == labels


def test_pictures_are_chosen_by_arrow_keys(open_page, tied):
    page = open_page(tied)
    page.locator(".sheet [aria-selected=true]").focus()
    page.keyboard.press("Home")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    assert asked_for(page).endswith("0002.png")
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("ArrowDown")
    below = int(asked_for(page)[-8:-4])
    assert below > 3
    page.keyboard.press("ArrowUp")
    page.keyboard.press("ArrowUp")  # there is none above: stays
    assert asked_for(page).endswith("0001.png")
    page.keyboard.press("End")
    assert asked_for(page).endswith("0119.png")
    focused = page.evaluate("document.activeElement.getAttribute('aria-selected')")
    assert focused == "true"


def test_the_focus_stays_where_a_neighbour_was_chosen(open_page, tied):
    page = open_page(tied)
    page.locator(".answers button").nth(7).focus()
    page.keyboard.press("Enter")
    place = (
        "() => [...document.querySelectorAll('.answers button')].indexOf(document.activeElement)"
    )
    assert page.evaluate(place) == 7


def test_a_screen_reader_hears_the_choice_and_not_all_neighbours(open_page, tied):
    page = open_page(tied)
    assert page.locator("#status").text_content() == ""
    page.locator(".sheet [role=option]").nth(5).click()
    told = page.locator("#status").text_content()
    assert told.startswith("Query: brick, brick/0005.png. Of the 5 nearest by dct, ")
    assert page.locator("[aria-live]").count() == 0
    for figure in page.locator("figure.plot .canvas").all():
        text = figure.get_attribute("aria-describedby")
        assert figure.get_attribute("aria-label") and page.locator(f"#{text}").text_content()


def test_the_head_shows_a_picture_of_every_class(open_page, tied, tmp_path):
    page = open_page(tied)
    names = page.locator(".examples li span:not(.tile)")
    assert set(names.all_text_contents()) == set(fixture.class_names(10))
    many = open_page(report.write(fixture.write(tmp_path, classes=100, count=200)))
    assert many.locator(".examples .tile").count() == 20
    assert many.locator(".examples .more").text_content() == "and 80 more classes"


def test_without_labels_nothing_is_said_of_classes(open_page, tmp_path):
    page = open_page(report.write(fixture.write(tmp_path, "unlabelled", count=40)))
    text = page.evaluate(
        "() => { document.querySelector('h1').remove(); return document.body.innerText }"
    )
    for word in ("class", "label", "accuracy", "guess"):
        assert word not in text.lower(), word
    assert page.locator(".map-classes, .map .odd").count() == 0
    assert page.locator(".examples .tile").count() == 10


def test_by_keyboard_alone_everything_is_reached_and_seen(open_page, tied):
    page = open_page(tied)
    reached = set()
    where = """() => {
        const e = document.activeElement, style = getComputedStyle(e);
        const part = e.closest("table, nav, .sheet, .answers, .scroll, details, .map, .map-tools, "
          + ".map-classes, pre");
        const outlined = style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2;
        return [part && (part.className || part.tagName), outlined];
    }"""
    page.keyboard.press("Tab")
    while (part_and_outline := page.evaluate(where))[0] is not None:
        part, outlined = part_and_outline
        assert outlined, f"the focus on {part} is not seen"
        reached.add(part)
        page.keyboard.press("Tab")
    assert {"NAV", "numbers main", "sheet", "answers", "scroll", "map-tools", "map"} <= reached


def test_dark_and_light_differ_and_follow_at_once(open_page, tied):
    page = open_page(tied)
    colours = """() => ["body", "[data-chart=cost] .mark-rule line", "[data-chart=cost] svg text"]
        .map((path) => getComputedStyle(document.querySelector(path)))
        .map((style) => [style.backgroundColor, style.stroke, style.fill].join())"""
    light = page.evaluate(colours)
    page.emulate_media(color_scheme="dark")
    dark = page.evaluate(colours)
    assert all(one != other for one, other in zip(light, dark, strict=True))


def test_a_window_made_narrow_is_drawn_anew(open_page, tied):
    page = open_page(tied, 1280)
    page.set_viewport_size({"width": 390, "height": 800})
    page.wait_for_selector("[data-chart=cost][data-drawn=narrow]")
    page.wait_for_selector("[data-chart=stability][data-drawn=narrow]")
    assert overflow(page) == 0


def test_hovering_tells_the_numbers(open_page, tied):
    page = open_page(tied)
    page.locator("[data-chart=cost] g.mark-symbol").last.locator("path").first.hover()
    told = page.locator("#vg-tooltip-element").text_content()
    assert "dct" in told
    assert "77–91%" in told


@pytest.mark.parametrize("width", [1280, 390])
def test_without_scripts_all_is_read(open_page, tied, width):
    page = open_page(tied, width, scripts=False)
    assert page.locator("figure.plot svg").count() == len(PLOTS)
    assert page.locator("figure.plot svg").first.is_visible()
    assert page.locator("#table-main tbody tr").count() == 15
    assert page.locator(".answers .tile").count() == 3 * (1 + 5 * 5)
    assert not page.locator(".picker").is_visible()
    box = page.locator("main").bounding_box()
    assert box["width"] <= width


def test_paper_is_light_whole_and_opens_every_table(open_page, tied):
    page = open_page(tied, 690, "dark")
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    page.emulate_media(media="print", color_scheme="dark")
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    assert page.locator("details:not([open])").count() == 0
    assert page.locator("#table-differences").is_visible()
    assert not page.locator(".picker").is_visible()
    assert overflow(page) <= 0
    assert len(page.pdf(format="A4")) > 50_000
    page.evaluate("dispatchEvent(new Event('afterprint'))")
    assert page.locator("details[open]").count() == 0  # closed again


def test_table_heads_are_repeated_on_paper(open_page, tmp_path):
    specs = {f"hog:cell={i}": fixture.SPECS["hog"] for i in range(2, 62)}
    page = open_page(report.write(fixture.write(tmp_path, specs=specs, count=20)))
    page.emulate_media(media="print")
    style = """(path) => { const s = getComputedStyle(document.querySelector(path));
        return [s.display, s.overflow, s.position] }"""
    assert page.evaluate(style, "#table-main thead")[0] == "table-header-group"
    assert page.evaluate(style, ".scroll")[1] == "visible"
    for path in ("#table-main thead th", "#table-main thead button"):
        assert page.evaluate(style, path)[2] == "static"
    if (ghostscript := shutil.which("gs")) is None:
        pytest.skip("no ghostscript to read the paper with")
    (tmp_path / "page.pdf").write_bytes(page.pdf(format="A4"))
    second = ["-dFirstPage=2", "-dLastPage=2", "-sDEVICE=txtwrite", "-o", "-"]
    command = [ghostscript, "-q", *second, str(tmp_path / "page.pdf")]
    text = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    assert "hog:cell=30" in text  # the table goes on here
    assert "dimensions" in text and "sensitivity" in text


@pytest.mark.parametrize(
    ("sentence", "more"),
    [
        ("unlabelled", {"sizes": True}),
        ("one", {"specs": {"dct": fixture.SPECS["dct"]}}),
        ("noise", {"classes": 2}),
        ("solved", {"classes": 100, "count": 200}),
    ],
)
def test_unusual_runs_are_drawn_on_a_phone(open_page, tmp_path, sentence, more):
    page = open_page(report.write(fixture.write(tmp_path, sentence, **{"count": 30, **more})), 390)
    assert overflow(page) == 0
    assert page.locator("figure.plot[data-drawn]").count() >= 2
    assert page.locator("h1").text_content()


def test_hostile_names_run_nothing(open_page, tmp_path):
    evil = "</script><script>alert(1)</script>'><img src=x onerror=alert(2)>"
    specs = {f"cnn:weights='{evil}'": fixture.SPECS["dct"], "hog": fixture.SPECS["hog"]}
    folder = fixture.write(
        tmp_path, specs=specs, count=12, name=evil, failed=[(evil, "error", evil)]
    )
    page = open_page(report.write(folder))
    assert page.locator("img").count() == 0
    page.locator("[data-chart=stability] g.layer_1_marks text").first.hover()
    page.locator(".sheet [role=option]").nth(5).click()
    assert evil in page.locator("#left-out").text_content()
    assert page.locator("img").count() == 0

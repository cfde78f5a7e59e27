"""Notebooks on a page: outputs are kept, long ones are cut, comments find their cell, and nothing runs."""

import base64
import json
from random import Random
from time import process_time

import pytest

from portal import notebooks
from portal.tests.guard import corpus

PNG = b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR\x00\x00\x02\x80\x00\x00\x01\xe0" + b"\x08" * 40


def code(source="1 + 1", outputs=(), count=1):
    return {"cell_type": "code", "source": source, "outputs": list(outputs), "execution_count": count, "metadata": {}}


def markdown(source):
    return {"cell_type": "markdown", "source": source, "metadata": {}}


def shown(*cells, whole=False, **more):
    content = json.dumps({"cells": list(cells), "metadata": {}, "nbformat": 4, **more}).encode()
    return notebooks.render(notebooks.read(content), lambda cell, which: f"/p/{cell}/{which}/", whole=whole)


def data(**bundle):
    kinds = {kind.replace("__", "/").replace("_", "+"): value for kind, value in bundle.items()}
    return {"output_type": "display_data", "metadata": {}, "data": kinds}


def test_text_is_markdown_and_its_paragraphs_have_ids_for_comments():
    [first, second] = shown(markdown(["# Case\n", "\n", "One *way*.\n", "\n", "- a\n"]), markdown("Two.")).cells
    assert (first.anchor, second.anchor) == ("cell-1", "cell-2")
    assert '<h3 id="cell-1-p-1">Case</h3>' in first.html
    assert '<p id="cell-1-p-2">One <em>way</em>.</p>' in first.html
    assert '<li id="cell-1-p-3">a</li>' in first.html
    assert '<p id="cell-2-p-1">Two.</p>' in second.html


def test_code_is_coloured_and_its_outputs_are_kept():
    [cell] = shown(
        code(
            ["import boto3\n", "print(1)"],
            [
                {"output_type": "stream", "name": "stdout", "text": ["1\n", "2\n"]},
                data(
                    text__plain="   a\n0  1",
                    text__html="<table border=1 class=x><tr><td onclick=y()>1</td></tr></table>",
                ),
                data(image__png=base64.b64encode(PNG).decode(), text__plain="<Figure>"),
                {"output_type": "error", "ename": "E", "evalue": "no", "traceback": ["\x1b[0;31mE\x1b[0m: no"]},
            ],
            count=7,
        )
    ).cells
    stream, table, picture, error = cell.outputs
    assert ('<span class="kn">import</span>' in cell.html, cell.count) == (True, "7")
    assert stream.text == "1\n2"
    assert table.html == "<table><tbody><tr><td>1</td></tr></tbody></table>" or "<td>1</td>" in table.html
    assert "onclick" not in table.html and "class" not in table.html
    assert (picture.picture.address, picture.picture.width, picture.picture.height) == ("/p/1/1/", 640, 480)
    assert (error.text, error.is_error) == ("E: no", True)


def test_pictures_are_served_under_the_address_that_the_page_names():
    attached = {
        **markdown("![](attachment:a.png)"),
        "attachments": {"a.png": {"image/png": base64.b64encode(PNG).decode()}},
    }
    jpeg = base64.b64encode(b"\xff\xd8\xff and more").decode()
    two = code("", [data(image__png=base64.b64encode(PNG).decode()), data(image__jpeg=jpeg)])
    found = shown(attached, two)
    assert 'src="/p/1/1/"' in found.cells[0].html
    assert [one.picture.address for one in found.cells[1].outputs] == ["/p/2/1/", "/p/2/2/"]
    notebook = {"cells": [attached, two]}
    assert notebooks.picture(notebook, 1, 1) == ("image/png", PNG)
    assert notebooks.picture(notebook, 2, 2) == ("image/jpeg", b"\xff\xd8\xff and more")
    assert [notebooks.picture(notebook, *at) for at in ((0, 1), (3, 1), (2, 0), (2, 3), (-1, 1))] == [None] * 5


@pytest.mark.parametrize(
    "output",
    [
        data(text__html="<script>alert(1)</script>", text__plain="Figure()"),
        data(text__html="<style>body{display:none}</style><div></div>", text__plain="Figure()"),
        data(image__svg_xml="<svg onload=alert(1)><script>alert(2)</script></svg>", text__plain="Figure()"),
        data(application__javascript="alert(1)", text__plain="Figure()"),
        data(image__png=base64.b64encode(b"<html><script>alert(1)</script>").decode(), text__plain="Figure()"),
    ],
)
def test_of_what_could_run_the_text_is_shown_and_that_the_rest_is_in_the_file(output):
    [cell] = shown(code("", [output])).cells
    [one] = cell.outputs
    assert (one.html, one.picture, one.text) == ("", None, "Figure()")
    assert "Download the notebook" in one.words


def test_long_outputs_and_long_notebooks_are_cut_and_whole_on_request():
    cells = [code("x = 1\n" * 40, [{"output_type": "stream", "text": "line\n" * 5_000}]) for _ in range(60)]
    first, whole = shown(*cells), shown(*cells, whole=True)
    assert first.left > 0 and first.is_cut and first.cells[0].outputs[0].rest > 20_000
    assert sum(len(cell.html) + sum(len(one.text) for one in cell.outputs) for cell in first.cells) < 100_000
    assert (whole.left, whole.is_cut) == (0, False)


@pytest.mark.parametrize(
    "content",
    [b"", b"{", b"[]", b'{"cells": 3}', b'{"cells": {}}', b'{"cells":' + b"[" * 100_000, b"\xff\xfe\x00", b"%PDF-1.7"],
)
def test_what_is_no_notebook_is_said_to_be_none(content):
    with pytest.raises(notebooks.Unshowable, match="Download it"):
        notebooks.read(content)


def test_a_notebook_of_odd_shapes_is_shown_as_far_as_it_goes():
    odd = [
        *(None, 3, "x", [], {}, {"cell_type": 4}, {"cell_type": "code", "outputs": "x"}),
        code(None, [None, {}, data(), {"data": 3}, {"output_type": "stream", "text": {"a": 1}}], count="x"),
        code([1, None, "ok"], [{"output_type": "error", "traceback": "no list"}]),
        {**markdown(["\ud800 half ", "\x00 nul"]), "attachments": {"a": 1, "b": {"image/png": 7}}},
    ]
    found = shown(*odd, metadata={"language_info": {"name": ["x"]}, "kernelspec": "y"})
    assert len(found.cells) == len(odd)
    assert "ok" in found.cells[-2].html
    "".join(cell.html for cell in found.cells).encode()


def test_a_notebook_in_the_shape_of_real_ones_takes_some_hundredths_of_a_second():
    random = Random("shape")
    contents = [corpus.notebook([corpus.clean_cell(random) for _ in range(25)], random) for _ in range(10)]
    notebooks.render(notebooks.read(contents[0]), lambda cell, which: "/")  # what is loaded once is no part of it
    began = process_time()
    for content in contents:
        notebooks.render(notebooks.read(content), lambda cell, which: "/")
    assert process_time() - began < 10 * 0.15  # measured: 0.02 s each; a busy machine counts more

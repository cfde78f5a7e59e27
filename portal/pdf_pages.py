"""The text of each page of a PDF, read by a process of its own: a file from somebody else may be made to hang a reader.

Run as a program it reads the file named on its command line and writes a JSON list of texts. It has seconds of
processor time and little memory, and nothing of the portal: no settings, no database.
"""

import json
import subprocess
import sys

SECONDS = 10
MEMORY = 512 * 1024 * 1024
PAGES = 60
LETTERS = 20_000  # of one page


class Unreadable(Exception):
    """This PDF cannot be read here; the file itself can be downloaded."""


def pages_of(path):
    """The plain text of the first PAGES pages, "" where there is none (a scan). Raises Unreadable."""
    try:
        done = subprocess.run(  # noqa: S603  our own program, on a path that we chose
            [sys.executable, "-I", __file__, str(path)], capture_output=True, timeout=3 * SECONDS, check=False, env={}
        )
        return [str(text) for text in json.loads(done.stdout)]
    except (OSError, ValueError, TypeError, subprocess.TimeoutExpired) as why:
        raise Unreadable("The pages of this PDF could not be read.") from why


def _read(path):
    import resource

    from pypdf import PdfReader

    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    reader = PdfReader(path)
    return [_text(page) for page in reader.pages[:PAGES]]


def _text(page):
    try:
        text = page.extract_text()
    except Exception:  # one page that cannot be read is an empty one
        return ""
    return text[:LETTERS].replace("\x00", "\ufffd").encode("utf-8", "replace").decode()


if __name__ == "__main__":
    sys.stdout.write(json.dumps(_read(sys.argv[1])))

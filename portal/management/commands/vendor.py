"""For maintainers: fetch what the pages stand on, cut it to what they use, and write down what it is.

`make vendor` needs the npm client and a network; nobody else does, since the result is in the repository.
"""

import base64
import hashlib
import json
import re
import shutil
import subprocess
import tarfile
from pathlib import Path
from typing import NamedTuple

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from portal.management import purging

FULL = "tabler.full.min.css"
ICONS = "tabler-icons.json"
# Every class that Tabler knows, one a line; "used" behind those that our pages used when it was cut down to them. So a
# test can tell a class of Tabler's from our own, and that the cut is older than a page.
CLASSES = Path("portal/management/tabler-classes.txt")
MIT = """Permission is hereby granted, free of charge, to any person obtaining a copy of this software and associated
documentation files (the "Software"), to deal in the Software without restriction, including without limitation the
rights to use, copy, modify, merge, publish, distribute, sublicense, and/or sell copies of the Software, and to permit
persons to whom the Software is furnished to do so, subject to the following conditions:

The above copyright notice and this permission notice shall be included in all copies or substantial portions of the
Software.

THE SOFTWARE IS PROVIDED "AS IS", WITHOUT WARRANTY OF ANY KIND, EXPRESS OR IMPLIED, INCLUDING BUT NOT LIMITED TO THE
WARRANTIES OF MERCHANTABILITY, FITNESS FOR A PARTICULAR PURPOSE AND NONINFRINGEMENT. IN NO EVENT SHALL THE AUTHORS OR
COPYRIGHT HOLDERS BE LIABLE FOR ANY CLAIM, DAMAGES OR OTHER LIABILITY, WHETHER IN AN ACTION OF CONTRACT, TORT OR
OTHERWISE, ARISING FROM, OUT OF OR IN CONNECTION WITH THE SOFTWARE OR THE USE OR OTHER DEALINGS IN THE SOFTWARE.
"""


class Package(NamedTuple):
    """An npm package and the one file that we take from it. `file` None: read by its own step (the icons)."""

    name: str
    version: str
    licence: str
    file: str | None
    to: str


PACKAGES = [
    Package("@tabler/core", "1.6.1", "MIT", "dist/css/tabler.min.css", "static/vendor/tabler.min.css"),
    Package("@tabler/icons", "3.51.0", "MIT", None, f"static/vendor/{ICONS}"),
    Package(
        "@fontsource-variable/inter",
        "5.3.0",
        "OFL-1.1",
        "files/inter-latin-wght-normal.woff2",
        "static/vendor/inter-latin.woff2",
    ),
    Package("htmx.org", "2.0.11", "0BSD", "dist/htmx.min.js", "static/vendor/htmx.min.js"),
    Package("plotly.js-basic-dist-min", "4.1.1", "MIT", "plotly-basic.min.js", "static/vendor/plotly-basic.min.js"),
    Package("axe-core", "4.14.1", "MPL-2.0", "axe.min.js", "e2e/vendor/axe.min.js"),
]


class Command(BaseCommand):
    help = "Maintainers: fetch the vendored files again, purge Tabler to our classes, write the manifest."
    requires_system_checks = []

    def add_arguments(self, parser):
        parser.add_argument("--purge-only", action="store_true", help="only cut Tabler down again; fetch nothing else")
        parser.add_argument("--full", action="store_true", help="keep all of Tabler, while pages are being built")
        parser.add_argument("--icon", nargs="+", default=[], help="also take these icons ('bulb', 'bulb!' is filled)")

    def handle(self, *args, purge_only=False, full=False, icon=(), **options):
        self.root, self.kept = Path(settings.BASE_DIR), settings.VAR / "vendor"
        self.kept.mkdir(parents=True, exist_ok=True)
        tabler, icons = PACKAGES[0], PACKAGES[1]
        if not purge_only:
            for package in PACKAGES:
                self.take(package)
            self.take_icons(icons, icon)
        elif icon:
            self.take_icons(icons, icon)
        self.purge(tabler, full)
        self.write_manifest()

    def fetch(self, package):
        """The unpacked package, from var/ when it was fetched before."""
        folder = self.kept / f"{package.name.replace('/', '-').lstrip('@')}-{package.version}"
        if not folder.exists():
            try:
                done = subprocess.run(
                    ["npm", "pack", "--silent", f"{package.name}@{package.version}"],
                    cwd=self.kept,
                    capture_output=True,
                    text=True,
                    timeout=300,
                    check=True,
                )
            except FileNotFoundError:
                raise CommandError("npm is not installed. Only maintainers who renew vendored files need it.") from None
            except subprocess.CalledProcessError as error:
                raise CommandError(f"npm pack {package.name}@{package.version}: {error.stderr.strip()}") from None
            archive = self.kept / done.stdout.split()[-1]
            with tarfile.open(archive) as files:
                files.extractall(folder, filter="data")
            archive.unlink()
        return folder / "package"

    def take(self, package):
        source, target = self.fetch(package), self.root / package.to
        target.parent.mkdir(parents=True, exist_ok=True)
        if package.file and target.suffix in (".css", ".js"):
            # The maps are not vendored, and collectstatic follows their names.
            text = re.sub(r"\s*(/\*|//)# sourceMappingURL=\S+( \*/)?\s*$", "\n", (source / package.file).read_text())
            target.write_text(text)
        elif package.file:
            shutil.copyfile(source / package.file, target)
        licence = target.parent / "licences" / f"{target.name.split('.')[0]}.txt"
        licence.parent.mkdir(exist_ok=True)
        shipped = source / "LICENSE"
        if shipped.exists():
            licence.write_text("\n".join(line.rstrip() for line in shipped.read_text().splitlines()) + "\n")
        else:
            # Tabler ships its licence as a link in the banner: the names from there, the terms of MIT from here.
            banner = re.search(r"/\*!(.*?)\*/", (source / package.file).read_text(), re.S).group(1)
            names = [line.strip(" *") for line in banner.splitlines() if "Copyright" in line]
            licence.write_text("MIT License\n\n" + "\n".join(names) + "\n\n" + MIT)

    def take_icons(self, package, more):
        """Fetch anew every icon that is in the file, and those named in `more`."""
        source, target = self.fetch(package), self.root / package.to
        known = json.loads(target.read_text()) if target.exists() else {}
        drawn = {}
        for name in sorted({*known, *more}):
            plain, kind = name.rstrip("!"), "filled" if name.endswith("!") else "outline"
            file = source / "icons" / kind / f"{plain}.svg"
            if not file.exists():
                raise CommandError(f"Tabler Icons {package.version} has no {kind} icon {plain!r}.")
            drawn[name] = inner_svg(file.read_text())
        target.write_text(json.dumps(drawn, indent=0) + "\n")

    def purge(self, package, full):
        css = (self.fetch(package) / package.file).read_text()
        names = sorted(purging.class_names(css))
        used = set(names) if full else purging.used_classes(self.root)
        wanted = purging.Wanted(used)
        lines = (f"{name} used" if name in wanted else name for name in names)
        (self.root / CLASSES).write_text("\n".join(lines) + "\n")
        target = self.root / package.to
        if full:
            text = re.sub(r"\s*/\*# sourceMappingURL=\S+ \*/\s*$", "\n", css)
        else:
            banner = re.search(r"/\*!.*?\*/", css, re.S).group(0)
            text = f"{banner}\n{purging.purge(css, used, purging.own_words(self.root))}\n"
        target.write_text(text)
        left = len(purging.class_names(text))
        self.stdout.write(f"{package.to}: {len(text) / 1024:.0f} KB, {left} of {len(names)} classes")

    def write_manifest(self):
        files = []
        for package in PACKAGES:
            path = self.root / package.to
            content = path.read_bytes()
            files.append(
                {
                    "file": package.to,
                    "package": package.name,
                    "version": package.version,
                    "licence": package.licence,
                    "sha256": hashlib.sha256(content).hexdigest(),
                    "integrity": "sha384-" + base64.b64encode(hashlib.sha384(content).digest()).decode(),
                }
            )
        (self.root / "static/vendor/manifest.json").write_text(json.dumps(files, indent=2) + "\n")


def inner_svg(svg):
    """What stands inside the <svg> element, on one line, without the invisible frame."""
    inner = re.search(r"<svg[^>]*>(.*)</svg>", svg, re.S).group(1)
    inner = re.sub(r'<path stroke="none" d="M0 0h24v24H0z" fill="none"\s*/>', "", inner)
    return re.sub(r"\s+", " ", inner).strip().replace(" />", "/>").replace("> <", "><")

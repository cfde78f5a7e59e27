"""Reading a course's YAML strictly. What is wrong is noted with file, line and field, and reading goes on, so that an
author sees everything at once.
"""

import re
from dataclasses import dataclass
from pathlib import Path

import yaml
from django.core.exceptions import ValidationError
from django.core.validators import URLValidator
from django.utils.translation import gettext as _

SLUG = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
KEY = re.compile(r"[a-z0-9]+([_-][a-z0-9]+)*")
FILE_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
A_WEB_ADDRESS = URLValidator(schemes=["http", "https"])


@dataclass(frozen=True, order=True)
class Problem:
    """One thing that is wrong, where, and what to write instead. `file` is relative to the course's folder."""

    file: str
    line: int
    field: str
    words: str

    def __str__(self):
        where = f"{self.file}:{self.line}"
        return f"{where}: {self.field}: {self.words}" if self.field else f"{where}: {self.words}"


class BrokenCourse(Exception):
    """The course cannot be loaded, and nothing was. `problems` holds every reason."""

    def __init__(self, problems):
        self.problems = sorted(set(problems))
        super().__init__("\n".join(map(str, self.problems)))


class _Nothing(yaml.SafeLoader):
    """Turns single scalars into values; it never reads a stream."""

    def __init__(self):
        super().__init__("")


@dataclass(frozen=True)
class Value:
    """One scalar, list or mapping of a file, with the place where it stands."""

    folder: "CourseFolder"
    file: str
    field: str
    node: yaml.Node

    @property
    def line(self):
        return self.node.start_mark.line + 1

    def wrong(self, words):
        self.folder.note(self.file, self.line, self.field, words)

    def fields(self):
        """Its Fields, or None when this is no mapping."""
        if not isinstance(self.node, yaml.MappingNode):
            self.wrong(_("has to be fields with values, not %(what)s") % {"what": _what(self.node, self._scalar())})
            return None
        return Fields(self)

    def items(self):
        """Its entries as Values, counted as people count: "materials #1"; none when this is no list."""
        if not isinstance(self.node, yaml.SequenceNode):
            words = _("has to be a list, not %(what)s; begin each line with '- '")
            self.wrong(words % {"what": _what(self.node, self._scalar())})
            return []
        return [
            Value(self.folder, self.file, f"{self.field} #{place}", entry)
            for place, entry in enumerate(self.node.value, start=1)
        ]

    def _scalar(self):
        if not isinstance(self.node, yaml.ScalarNode):
            return None
        try:
            return _Nothing().construct_object(self.node)
        except (yaml.YAMLError, ValueError):
            return self.node.value

    def text(self, most=None):
        found = self._scalar()
        is_scalar = isinstance(self.node, yaml.ScalarNode)
        if is_scalar and (found is None or found == ""):
            self.wrong(_("is empty"))
        elif not isinstance(found, str):
            words = (
                _("has to be text, not %(what)s; put it in quotes") if is_scalar else _("has to be text, not %(what)s")
            )
            self.wrong(words % {"what": _what(self.node, found)})
        elif "\x00" in found or not found.strip():
            self.wrong(_("is empty"))
        elif most and len(found.strip()) > most:
            words = _("has %(length)s characters; at most %(most)s fit")
            self.wrong(words % {"length": len(found.strip()), "most": most})
        else:
            return found.strip()
        return None

    def slug(self, pattern=SLUG, most=50):
        found = self.text(most)
        if found is not None and not pattern.fullmatch(found):
            words = _("%(text)s is not a slug: write small letters, digits and single hyphens, such as s3-for-ml")
            self.wrong(words % {"text": repr(found)})
            return None
        return found

    def whole(self, least, most):
        found = self._scalar()
        if type(found) is not int:
            self.wrong(_("has to be a whole number, not %(what)s") % {"what": _what(self.node, found)})
        elif not least <= found <= most:
            words = _("is %(found)s; it has to be from %(least)s to %(most)s")
            self.wrong(words % {"found": found, "least": least, "most": most})
        else:
            return found
        return None

    def flag(self):
        found = self._scalar()
        if type(found) is not bool:
            self.wrong(_("has to be true or false, not %(what)s") % {"what": _what(self.node, found)})
            return None
        return found

    def one_of(self, known):
        found = self.text()
        if found is not None and found not in known:
            words = _("%(text)s is not known here; there are %(known)s")
            self.wrong(words % {"text": repr(found), "known": ", ".join(sorted(known))})
            return None
        return found

    def address(self):
        found = self.text(500)
        if found is not None:
            try:
                A_WEB_ADDRESS(found)
            except ValidationError:
                words = _("%(text)s is not a web address; begin it with https://")
                self.wrong(words % {"text": repr(found)})
                return None
        return found

    def path(self, *, is_folder=False):
        """The file (or folder) that this names, relative to the file it stands in; None when it is not there."""
        found = self.text(300)
        if found is None:
            return None
        here = (self.folder.root / self.file).parent
        there = (here / found).resolve()
        if Path(found).is_absolute() or not there.is_relative_to(self.folder.root):
            self.wrong(_("%(path)s leads out of the course's folder") % {"path": repr(found)})
        elif is_folder and not there.is_dir():
            self.wrong(_("there is no folder %(path)s") % {"path": repr(found)})
        elif not is_folder and not there.is_file():
            self.wrong(_("there is no file %(path)s") % {"path": repr(found)})
        else:
            return there
        return None

    def page(self):
        """The text of the Markdown file that this names, with line ends of one kind."""
        there = self.path()
        if there is None:
            return None
        try:
            text = there.read_bytes().decode("utf-8-sig")
        except UnicodeDecodeError:
            self.wrong(_("%(file)s is not text in UTF-8") % {"file": repr(there.name)})
            return None
        text = text.replace("\r\n", "\n").strip()
        if not text or "\x00" in text:
            words = _("%(file)s holds a NUL, which no text has") if text else _("%(file)s is empty")
            self.wrong(words % {"file": repr(there.name)})
            return None
        return text + "\n"


def _what(node, value=None):
    if isinstance(node, yaml.SequenceNode):
        return _("a list")
    if isinstance(node, yaml.MappingNode):
        return _("fields with values")
    words = {bool: _("true or false"), str: _("text"), type(None): _("nothing")}
    words |= dict.fromkeys((int, float), _("a number"))
    kind = words.get(type(value), _("a date"))
    return kind if value is None else f"{kind} ({node.value})"


class Fields:
    """The fields of one mapping. Ask for each by name, then call `end()`: what nobody asked for is not known here."""

    def __init__(self, value):
        self.value = value
        self.found, self.asked = {}, set()
        for key, node in value.node.value:
            name = key.value if isinstance(key, yaml.ScalarNode) else "?"
            place = Value(value.folder, value.file, f"{value.field}.{name}".lstrip("."), node)
            if name in self.found:
                value.folder.note(
                    value.file,
                    key.start_mark.line + 1,
                    place.field,
                    _("is written twice, first in line %(line)s") % {"line": self.found[name][0]},
                )
            else:
                self.found[name] = (key.start_mark.line + 1, place)

    @property
    def line(self):
        return self.value.line

    def get(self, name):
        """The Value of an optional field, or None."""
        self.asked.add(name)
        return self.found[name][1] if name in self.found else None

    def ask(self, name, read, default=None, *, needed=True):
        """read(value) of a field; `default` when it is not there or wrong, which is then noted."""
        value = self.get(name)
        if value is None:
            if needed:
                self.wrong(name, _("is missing"))
            return default
        result = read(value)
        return default if result is None else result

    def may(self, name, read, default=None):
        return self.ask(name, read, default, needed=False)

    def wrong(self, name, words):
        value = self.get(name)
        field = f"{self.value.field}.{name}".lstrip(".")
        self.value.folder.note(self.value.file, value.line if value else self.line, field, words)

    def end(self):
        for name, (line, place) in self.found.items():
            if name not in self.asked:
                known = ", ".join(sorted(self.asked))
                words = _("is not known here; there are %(known)s") % {"known": known}
                self.value.folder.note(self.value.file, line, place.field, words)


class CourseFolder:
    """The folder of a course, and what was found to be wrong in it so far."""

    def __init__(self, root):
        self.root = Path(root).resolve()
        self.problems = []

    def note(self, file, line, field, words):
        self.problems.append(Problem(file, line, field, words))

    def open(self, file):
        """The Fields of a YAML file of the folder, or None when there is nothing to read in it."""
        path = self.root / file
        try:
            text = path.read_bytes().decode("utf-8-sig")
            node = yaml.compose(text, Loader=yaml.SafeLoader)
        except FileNotFoundError:
            return self.note(file, 1, "", _("this file is missing"))
        except UnicodeDecodeError:
            return self.note(file, 1, "", _("is not text in UTF-8"))
        except yaml.reader.ReaderError as error:
            words = _("is not YAML: %(why)s") % {"why": error.reason}
            return self.note(file, text[: error.position].count("\n") + 1, "", words)
        except yaml.MarkedYAMLError as error:
            mark = error.problem_mark or error.context_mark
            words = _("is not YAML: %(why)s") % {"why": error.problem or error.context}
            return self.note(file, mark.line + 1 if mark else 1, "", words)
        if node is None:
            return self.note(file, 1, "", _("is empty"))
        return Value(self, file, "", node).fields()

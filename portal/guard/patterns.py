"""What credentials look like in text. Precise shapes first; words like "password" only with a value beside them.

A hit is the credential itself and nothing around it, so that cutting it out leaves the rest as it was.
"""

import math
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

AWS_ID, AWS_SECRET, AWS_SESSION = "aws-id", "aws-secret", "aws-session"
PRIVATE_KEY, TOKEN, PASSWORD = "private-key", "token", "password"
GITHUB, SLACK, GOOGLE, HUGGING_FACE, OPENAI = "github", "slack", "google", "hugging-face", "openai"
DATABASE = "database"


@dataclass(frozen=True, order=True)
class Hit:
    """One credential: text[start:end]."""

    start: int
    end: int
    kind: str


# (kind, what stands in it in any case, its shape). Only where the first stands the second is looked for: a notebook has
# megabytes that hold none of these.
PRECISE = [
    (kind, mark, re.compile(shape))
    for kind, mark, shape in (
        (AWS_SESSION, "IQoJb3JpZ2lu", r"IQoJb3JpZ2lu[A-Za-z0-9/+=]{60,}"),
        (AWS_SESSION, "oGZXIvYXdz", r"(?:FwoGZXIvYXdz|FQoGZXIvYXdz)[A-Za-z0-9/+=]{60,}"),
        (AWS_SESSION, "AQoDYXdz", r"AQoDYXdz[A-Za-z0-9/+=]{60,}"),
        (AWS_SECRET, "ABSK", r"ABSK[A-Za-z0-9+/]{100,}={0,2}"),  # a key of Bedrock
        (AWS_SECRET, "bedrock-api-key-", r"bedrock-api-key-[A-Za-z0-9+/=]{50,}"),
        (GITHUB, "gh", r"gh[pousr]_[A-Za-z0-9]{36,255}(?![A-Za-z0-9])"),
        (GITHUB, "github_pat_", r"github_pat_[A-Za-z0-9_]{50,255}"),
        (TOKEN, "glpat-", r"glpat-[A-Za-z0-9_-]{20,}"),
        (SLACK, "xox", r"xox[abeoprs]-(?:[A-Za-z0-9]+-)+[A-Za-z0-9]{8,}"),
        (SLACK, "xapp-", r"xapp-\d-[A-Z0-9]+-\d+-[a-z0-9]{20,}"),
        (SLACK, "hooks.slack.com", r"https://hooks\.slack\.com/\w+/T?[A-Z0-9]+/[A-Za-z0-9]+/[A-Za-z0-9]{20,}"),
        (TOKEN, "/api/webhooks/", r"https://(?:\w+\.)?discord(?:app)?\.com/api/webhooks/\d{17,20}/[\w-]{60,}"),
        (TOKEN, ":AA", r"\d{8,10}:AA[A-Za-z0-9_-]{32,34}(?![\w-])"),  # a bot of Telegram
        (GOOGLE, "AIza", r"AIza[0-9A-Za-z_-]{35}(?![\w-])"),
        (GOOGLE, "ya29.", r"ya29\.[\w-]{20,}"),
        (GOOGLE, "GOCSPX-", r"GOCSPX-[\w-]{28}"),
        (HUGGING_FACE, "hf_", r"hf_[A-Za-z0-9]{34,40}(?![A-Za-z0-9])"),
        (HUGGING_FACE, "api_org_", r"api_org_[A-Za-z0-9]{34}(?![A-Za-z0-9])"),
        (OPENAI, "sk-", r"sk-(?:(?:proj|svcacct|admin|None|ant|or)-[\w-]{20,}|[A-Za-z0-9]{32,}(?![A-Za-z0-9]))"),
        (TOKEN, "gsk_", r"gsk_[A-Za-z0-9]{40,}"),
        (TOKEN, "r8_", r"r8_[A-Za-z0-9]{37}"),
        (TOKEN, "pcsk_", r"pcsk_\w{40,}"),
        (TOKEN, "nvapi-", r"nvapi-[\w-]{50,}"),
        (TOKEN, "k_live_", r"[sr]k_live_[A-Za-z0-9]{16,}"),
        (TOKEN, "k_test_", r"[sr]k_test_[A-Za-z0-9]{16,}"),
        (TOKEN, "whsec_", r"whsec_[A-Za-z0-9+/]{32,}"),
        (TOKEN, "npm_", r"npm_[A-Za-z0-9]{36}(?![A-Za-z0-9])"),
        (TOKEN, "pypi-AgE", r"pypi-AgE[\w-]{50,}"),
        (TOKEN, "SG.", r"SG\.[\w-]{16,}\.[\w-]{20,}"),
        (TOKEN, "SK", r"SK[0-9a-f]{32}(?![0-9a-f])"),  # of Twilio
        (TOKEN, "dapi", r"dapi[0-9a-f]{32}(?![0-9a-f])"),
        (TOKEN, "_v1_", r"do[opr]_v1_[0-9a-f]{64}"),
        (TOKEN, "dckr_pat_", r"dckr_pat_[\w-]{20,}"),
        (TOKEN, "lsv2_", r"lsv2_(?:pt|sk)_[0-9a-f]{32}_[0-9a-f]{10}"),
        (TOKEN, "hvs.", r"hvs\.[\w-]{24,}"),
        (TOKEN, "key-", r"key-[0-9a-f]{32}(?![0-9a-f])"),
        (TOKEN, "AccountKey=", r"AccountKey=(?P<value>[A-Za-z0-9+/]{86}==)"),
        (TOKEN, "eyJ", r"eyJ[A-Za-z0-9_-]{10,}\.eyJ[A-Za-z0-9_-]{10,}\.(?P<value>[A-Za-z0-9_-]{10,})"),
        (PASSWORD, "Basic", r"Basic\s+(?P<value>(?=[A-Za-z+/]*\d)[A-Za-z0-9+/]{10,}={0,2})(?=[\"'\s])"),
        (TOKEN, "earer", r"[Bb]earer\s+(?P<value>[A-Za-z0-9._~+/-]{20,}=*)"),
        (
            PRIVATE_KEY,
            "PuTTY-User",
            r"PuTTY-User-Key-File-\d[\s\S]{0,4000}?Private-Lines: \d+\s+(?P<value>[\w+/=\s]{40,9000})",
        ),
    )
]
# A word begins here; also after an escape of JSON (`\n`) or of an address (`%3D`), which end in a letter or a digit.
BEGINS = re.compile(r"(?<![A-Za-z0-9])|(?<=\\[nrt])|(?<=%[0-9A-Fa-f]{2})")
ACCESS_KEY_ID = re.compile(r"A[KS]IA[A-Z0-9]{16}(?![A-Za-z0-9])")
# In a signature's scope, as in every presigned address that a download prints, an id is no secret of its reader.
IN_A_SCOPE = re.compile(r"(?:/|%2F)\d{8}(?:/|%2F)", re.I)
RUN = re.compile(r"[A-Za-z0-9/+]{40,}")
ESCAPED = {"\\": 1, "%": 2}  # before these so many characters of a run belong to the escape
NAMED_SECRET = re.compile(r"secret|aws.{0,12}key|(?:^|\W)sk\W", re.I)
# Its head, lines like `Proc-Type: 4,ENCRYPTED`, and base64 in lines that are ended, escaped or quoted in any way. A
# head without a body is a text about keys.
PRIVATE_BLOCK = re.compile(
    r"-----BEGIN (?:[A-Z0-9]+ ){0,3}PRIVATE KEY(?: BLOCK)?-----(?:(?:\s|\\[nr]|[\"',+])*(?:[A-Z][\w-]+: [^\n]{1,100}))*"
    r"(?:(?:\s|\\[nr]|[\"',+])*[A-Za-z0-9+/=]{8,})+(?:(?:\s|\\[nr]|[\"',+])*-----END [A-Z0-9 ]{1,30}-----)?"
)
IN_AN_ADDRESS = re.compile(r"://[^\s:/@'\"<>]{0,100}:(?P<value>[^\s/@'\"<>]{3,200})@(?=[\w.\[{-])")
WORD = re.compile(
    r"(?i:passw(?:or)?d|passwd|passphrase|pwd|(?<![a-z])p(?:ass|w)(?![a-z])|secret|token|api[_ -]?key|access[_ -]?key"
    r"|auth[_ -]?key|private[_ -]?key"
    r"|secret[_ -]?key|account[_ -]?key|encryption[_ -]?key|signing[_ -]?key|wandb[_ -]?key)"
)
# What follows a word in its name, then what stands between a name and its value in code, JSON, YAML, INI, and XML.
AFTER = re.compile(
    r"(?P<rest>[\w-]{0,40})(?P<close>\\?[\"'`]?\]?)(?P<between>\s{0,20}(?::=|=>|==|=|:|,|>)\s{0,20})"
    r"(?:(?P<string>[rbfuRBFU]{0,2})(?P<quote>\\?[\"'`])(?P<quoted>[^\"'`\n]{4,300}?)(?P=quote)"
    r"|(?P<plain>[^\s\"'`,;)<>]{4,300})(?P<tail>[^\n]{0,3}))"
)
# A value after words instead of a sign: options of commands, SQL, files of passwords, sentences.
AFTER_WORDS = [
    re.compile(shape)
    for shape in (
        r"--(?<![\w-]--)(?:\w+-)?(?:password|passwd|token|api-key|secret|secret-key|secret-access-key)"
        r"[= ]\s{0,4}[\"']?(?P<value>[^\s\"']{4,200})",
        r"curl(?<!\wcurl)\b[^\n]{0,200}?\s(?:-u|--user)\s{0,2}[\"']?[^\s:\"']{1,80}:(?P<value>[^\s\"']{3,200})",
        r"(?i:identified\s{1,9}by|with\s{1,9}(?:encrypted\s{1,9})?password)\s{1,9}[\"'](?P<value>[^\s\"']{4,200})[\"']",
        r"login\s{1,9}\S{1,80}\s{1,9}password\s{1,9}(?P<value>\S{4,200})",  # .netrc
        r"\n[\w.*-]{1,100}:(?:\d{2,5}|\*):[^:\s]{1,60}:[^:\s]{1,60}:(?P<value>\S{4,200})(?=\s)",  # .pgpass
        r"\"auth\"\s{0,9}:\s{0,9}\"(?P<value>[A-Za-z0-9+/]{12,400}={0,2})\"",  # of Docker
        r"\"key\"\s{0,9}:\s{0,9}\"(?P<value>[0-9a-f]{32})\"",  # of Kaggle
        r"login\(\s{0,9}(?:key\s{0,3}=\s{0,3})?[\"'](?P<value>[0-9a-f]{40})[\"']",  # of Weights & Biases
        r"(?i:password|passwd|passphrase)\s(?i:is|was|=)\s{1,3}[\"'`]?(?P<value>(?=\S*\d)(?=\S*[A-Za-z])[^\s\"'`]{6,200})",
    )
]
IS_PASSWORD = re.compile(r"pass|pwd|pw", re.I)
# Names that hold one of the words and no secret: pages of lists, special tokens of language models, ids and places.
NO_SECRET_BEFORE = re.compile(
    r"(?:next|continuation|page|pagination|client|request|idempotency|csrf|xsrf|pad|eos|bos|sep|cls|mask|unk|special|max"
    r"|min|num|n|input|output|total|prompt|completion|start|end|stop|new|image|vocab|text|per|sub|added|first|last|forget"
    r"|reset|public|has|is|show|no|use|with)[_ -]?$",
    re.I,
)
NO_KEY_BEFORE = re.compile(r"(?:public|has|is|show|no|use|forget|reset)[_ -]?$", re.I)
NO_SECRET_AFTER = re.compile(
    r"(?:id|ids|arn|name|names|path|file|filename|type|policy|manager|version|count|len|length|size|limit|ttl|url|uri"
    r"|endpoint|region|alias|hash|prefix|suffix|label|env|var|field|column|header|hint|help|prompt|message|text|error"
    r"|placeholder|izer|ized|ize|ization|s|expiry|expires?\w*|age|reset|rotation|scope|usage|format|enabled|required"
    r"|lifetime|created\w*|updated\w*|last\w*|less)$",
    re.I,
)
PLACEHOLDER_WORDS = frozenset(
    re.findall(
        r"\w+",
        """
        password passwd pass pwd secret key keys token api apikey aws my your the here a an some user
        username db database access id hidden string value name none null true false todo test fake dummy
        sample example placeholder redacted removed deleted masked changeme change me insert enter replace
        put add with this that own real not for of to in is and or new old from please paste it be any yes
        no required optional empty unknown undefined default input env environ getpass secretsmanager
        postgres mysql root demo xxx text str hunter_ abc foo bar baz credential credentials set type hash
        hashed bytes auth session private public client admin login account service
        """,
    )
)
PLACEHOLDER_SHAPE = re.compile(
    r"^(?:<.*>?|\[.*\]?|\{.*|\$.*|%.*%?|@.*|[\W_]+|[xX*•.…_-]+|(.)\1+|\.{3}.*|&(?:lt|quot|#).*)$"
    r"|example|placeholder|redacted|change.?me|your[_ -]|[_ -]here\b|x{4}|\*{3}|•{2}|12345678|\.\.\.|…",
    re.I,
)
# An expression of a program, a path, a file, an address, an ARN or a date: a value that says where, not what.
NO_VALUE = re.compile(
    r"^(?:[\w.]+\(.*|[A-Za-z_]\w*(?:\.\w+)+\(?.*|[\w.]+\[.*|arn:.*|https?://.*|s3://.*|file:.*|(?:~|\.{0,2})/[\w./-]*"
    r"|[\w-]+(?:/[\w.-]+)+/?|[\w./-]+\.(?:csv|json|py|txt|ya?ml|ipynb|pem|key|html?|js|parquet|log|pkl|toml|ini|cfg|md)"
    r"|\d{4}-\d\d-\d\d.*|[-+]?\d[\d.,_]*|%?\(\w+\)s|!.*|\{\{.*|\|.*)$",
    re.S,
)
# Published in AWS's own documentation and by jwt.io: known to everybody.
EXAMPLES = {"SflKxwRJSMeKKF2QT4fwpMeJf36POk6yJV_adQssw5c", "TJVA95OrM7E2cBab30RMHrHDcEfxjoYZgeFONFh7HgQ"}
ANSI = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
PICTURE = re.compile(r"data:[a-z]+/[\w.+-]+;base64,[A-Za-z0-9+/=\s\\]*")
SCRIPT = re.compile(r"<(script|style)\b[\s\S]*?</\1\s*>", re.I)


def entropy(text: str) -> float:
    """Bits a character, by how often each stands in the text itself."""
    total = len(text)
    return -sum(n / total * math.log2(n / total) for n in Counter(text).values()) if total else 0.0


def readable(text: str) -> str:
    """The text as long as it was, without colours of a terminal and pictures in base64: nobody reads a key in them."""
    for pattern in (ANSI, PICTURE):
        text = pattern.sub(lambda found: " " * len(found[0]), text)
    return text


def credentials(text: str, *, is_code: bool = False, only_precise: bool = False) -> list[Hit]:
    """Every credential in `text`, in order, none within another.

    is_code: unquoted values are names of variables here. only_precise: nothing by words like "password", for text that
    no person wrote (scripts in a page, bytes of a model).
    """
    text = readable(text)
    found = [*_precise(text), *_aws(text), *_private_keys(text)]
    if not only_precise:
        wordless = SCRIPT.sub(lambda script: " " * len(script[0]), text)
        found += [*_addresses(wordless), *_options(wordless), *_named(wordless, is_code), *_columns(wordless)]
    return _apart(found)


def _apart(found: list[Hit]) -> list[Hit]:
    """Of hits that overlap, the longest."""
    kept: list[Hit] = []
    for hit in sorted(found, key=lambda hit: (hit.start - hit.end, hit.start)):
        if all(hit.end <= other.start or other.end <= hit.start for other in kept):
            kept.append(hit)
        if len(kept) >= 500:
            break
    return sorted(kept)


def _precise(text: str) -> Iterator[Hit]:
    for kind, mark, pattern in PRECISE:
        for match in pattern.finditer(text) if mark in text else ():
            if not BEGINS.match(text, match.start()):
                continue
            group = "value" if "value" in pattern.groupindex else 0
            value = match[group]
            if value in EXAMPLES or PLACEHOLDER_SHAPE.search(value) or _is_flat(value):
                continue
            if kind == AWS_SESSION and text[max(0, match.start() - 30) : match.start()].endswith(
                ("Security-Token=", "security-token=")
            ):
                continue
            yield Hit(match.start(group), match.end(group), kind)


def _is_flat(value: str) -> bool:
    """Too even for anything that was drawn by chance: `ghp_aaaa...`, or a word."""
    return entropy(value) < 2.5 or len(set(value[-16:])) < 5


def _aws(text: str) -> Iterator[Hit]:
    ids = []
    for match in ACCESS_KEY_ID.finditer(text):
        value = match[0]
        if "EXAMPLE" in value or "XXXX" in value or "12345678" in value or len(set(value[4:])) < 6:
            continue
        if IN_A_SCOPE.match(text, match.end()) or not BEGINS.match(text, match.start()):
            continue
        ids.append(match.start())
        yield Hit(match.start(), match.end(), AWS_ID)
    for run in RUN.finditer(text):
        start = run.start()
        if run.end() - start > 40:
            start += ESCAPED.get(text[start - 1 : start], 0)
        is_whole = run.end() - start == 40 and text[run.end() : run.end() + 1] != "="
        if is_whole and _is_aws_secret(text[start : run.end()], text, start, ids):
            yield Hit(start, run.end(), AWS_SECRET)


def _is_aws_secret(value: str, text: str, at: int, ids: list[int]) -> bool:
    if value.upper().endswith("EXAMPLEKEY") or PLACEHOLDER_SHAPE.search(value):
        return False
    upper, lower, digits = (len(re.findall(kind, value)) for kind in ("[A-Z]", "[a-z]", "[0-9]"))
    if not (upper and lower) or entropy(value) < 3.6:
        return False
    before = text[max(0, at - 90) : at]
    if NAMED_SECRET.search(before) or any(abs(at - one) < 300 for one in ids):
        return not re.fullmatch(r"[A-Za-z/]+", value) or entropy(value) >= 4.2
    # Alone. It must look drawn by chance, and not be the last line of something longer in base64.
    if re.search(r"[A-Za-z0-9+/]{60,}\\?n?\s*[\"']?,?\s*[\"']?$", before) or re.search(r"[\w.-]$", before[-1:]):
        return False
    run = max((len(one) for one in re.findall(r"[a-z]+", value)), default=0)
    is_drawn = upper >= 5 and lower >= 5 and digits >= 1 and run < 10 and value.count("/") <= 4
    return is_drawn and entropy(value) >= 4.3 and not re.match(r"[\w.-]", text[at + 40 : at + 41])


def _private_keys(text: str) -> Iterator[Hit]:
    for match in PRIVATE_BLOCK.finditer(text) if "PRIVATE KEY" in text else ():
        body = match[0].split("-----")[2]
        if len(max(re.findall(r"[A-Za-z0-9+/=]+", body), key=len)) >= 24:
            yield Hit(match.start(), match.end(), PRIVATE_KEY)


def _addresses(text: str) -> Iterator[Hit]:
    for match in IN_AN_ADDRESS.finditer(text):
        if not _is_placeholder(match["value"]) and not match["value"].startswith("//"):
            yield Hit(match.start("value"), match.end("value"), DATABASE)


def _options(text: str) -> Iterator[Hit]:
    text = f"\n{text}\n"
    for pattern in AFTER_WORDS:
        for match in pattern.finditer(text):
            value = match["value"]
            if not _is_placeholder(value) and not NO_VALUE.match(value) and not value.startswith("-"):
                yield Hit(match.start("value") - 1, match.end("value") - 1, PASSWORD)


def _named(text: str, is_code: bool) -> Iterator[Hit]:
    """Values beside a name that says what they are: `password = "..."`, `api_key: ...`, `TOKEN=...`."""
    for word in WORD.finditer(text):
        match = AFTER.match(text, word.end())
        if match is None:
            continue
        before = text[max(0, word.start() - 40) : word.start()]
        is_password = bool(IS_PASSWORD.search(word[0]))
        if NO_SECRET_AFTER.fullmatch(match["rest"].lstrip("_-")) or NO_SECRET_AFTER.search(
            match["rest"] if "_" in match["rest"][:1] else ""
        ):
            continue
        not_before = NO_SECRET_BEFORE if word[0].lower() == "token" else NO_KEY_BEFORE
        if not is_password and not_before.search(before):
            continue
        group = "quoted" if match["quoted"] is not None else "plain"
        value = match[group]
        if ACCESS_KEY_ID.fullmatch(value[:20]):
            continue  # judged where ids are
        if group == "quoted":
            speaks = _quoted_speaks(value, is_password, match["between"].strip())
        else:
            speaks = _plain_speaks(value, is_password, is_code, match, before)
        if speaks:
            yield Hit(match.start(group), match.end(group), PASSWORD if is_password else TOKEN)


def _quoted_speaks(value: str, is_password: bool, between: str) -> bool:
    if _is_placeholder(value) or NO_VALUE.match(value):
        return False
    if between in (",", ">"):
        return _is_strong(value)
    if re.search(r"\s", value):
        # A passphrase has no commas, and stands behind an equals sign; the rest are sentences.
        return (
            is_password and between == "=" and bool(re.fullmatch(r"\S+( \S+){2,6}", value)) and value == value.lower()
        )
    return True if is_password else _is_strong(value)


def _plain_speaks(value: str, is_password: bool, is_code: bool, match: re.Match, before: str) -> bool:
    if match["close"] or _is_placeholder(value) or NO_VALUE.match(value) or match["between"].strip() in (",", "=="):
        return False
    if match["between"].strip() == ">":
        return match["tail"].startswith("</") and (is_password or _is_strong(value))
    if "\n" in match["between"]:
        return False
    own_line = re.fullmatch(
        r"[\t ]*(?:(?:export|set|setx|env|ENV|ARG|%env|-)[\t ]+)*[\w.-]*", before.rpartition("\n")[2]
    )
    is_variable = bool(re.fullmatch(r"[A-Z0-9_]*", (before.rpartition("\n")[2].split() or [""])[-1]))
    if match["between"] == "=" and own_line and is_variable and match["rest"].upper() == match["rest"]:
        return is_password or _is_strong(value)
    if is_code:
        return _is_strong(value) and bool(re.search(r"\d.*\d", value)) and not re.fullmatch(r"[a-z_]+\d{0,2}", value)
    if not is_password:
        return _is_strong(value)
    return bool(re.search(r"[\d\W_]", value) or value != value.lower()) and not re.fullmatch(r"[A-Z]?[a-z]+\W*", value)


def _columns(text: str) -> Iterator[Hit]:
    """A table with a heading `Password` or `Secret access key`, as AWS's console gives it out."""
    at = 0
    rows, columns = 0, []
    for line in text.splitlines(keepends=True):
        cells = line.rstrip("\r\n").split(",")
        names = [cell.strip().strip("\"'\ufeff").lower() for cell in cells]
        if len(cells) > 1 and any(name in HEADINGS for name in names):
            columns, rows = [n for n, name in enumerate(names) if name in HEADINGS], 0
        elif columns and len(cells) > max(columns) and rows < 50:
            rows += 1
            for n in columns:
                value = cells[n].strip().strip("\"'")
                start = at + sum(len(cell) + 1 for cell in cells[:n]) + cells[n].find(value)
                if _is_strong(value) and not NO_VALUE.match(value) and not _is_placeholder(value):
                    yield Hit(start, start + len(value), PASSWORD)
        else:
            columns = []
        at += len(line)


HEADINGS = {"password", "secret access key", "secret_access_key", "secret key", "api key", "api_key", "secretaccesskey"}


def _is_placeholder(value: str) -> bool:
    words = [word for word in re.split(r"[^A-Za-z]+|(?<=[a-z])(?=[A-Z])", value) if word]
    only_words = bool(words) and not re.search(r"\d", value) and all(w.lower() in PLACEHOLDER_WORDS for w in words)
    return only_words or bool(PLACEHOLDER_SHAPE.search(value))


def _is_strong(value: str) -> bool:
    """Drawn by chance, as far as one can tell: eight characters or more, of two sorts, that are no words."""
    if len(value) < 8 or re.search(r"\s", value):
        return False
    sorts = sum(bool(re.search(sort, value)) for sort in ("[a-z]", "[A-Z]", r"\d", r"[^A-Za-z0-9]"))
    if sorts < 2 or entropy(value) < 2.75:
        return False
    digits = len(re.findall(r"\d", value))
    if not digits:
        return (
            len(value) >= 16
            and entropy(value) >= 3.6
            and bool(re.search("[a-z][A-Z].*[a-z][A-Z]|[A-Z]{2}[a-z]", value))
        )
    # `model-v2`, `claude3_haiku`: words with a number behind are names.
    return not re.fullmatch(r"(?:[A-Za-z]{2,}[-_. ]?)+v?\d{1,2}(?:[-_.][A-Za-z]{2,}|[-_.]\d{1,2})*", value) or (
        sorts >= 3 and not re.search(r"[-_. ]", value)
    )

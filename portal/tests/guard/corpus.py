"""Made-up credentials in every writing that students use, and clean files in the shape of real ones; by seed.

It knows nothing of the scanner: what a key looks like stands here a second time, from its maker's own description.
"""

import base64
import hashlib
import io
import json
import string
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from random import Random

import pydyf

ALNUM = string.ascii_letters + string.digits
URLSAFE = ALNUM + "-_"


@dataclass(frozen=True)
class Item:
    """A file, the credentials that are in it, and the words that its place must say ("" where a file has one place)."""

    name: str
    content: bytes
    secrets: tuple[str, ...]
    where: str
    kind: str  # how it was made, for the list of what was missed


def some(random: Random, letters: str, number: int) -> str:
    return "".join(random.choices(letters, k=number))


# --- credentials ---------------------------------------------------------------------------------------------


def aws_id(random: Random, prefix: str = "AKIA") -> str:
    return prefix + some(random, "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", 16)


def aws_secret(random: Random) -> str:
    return base64.b64encode(random.randbytes(30)).decode()


def session_token(random: Random) -> str:
    return "IQoJb3JpZ2luX2Vj" + base64.b64encode(random.randbytes(random.randint(200, 500))).decode()


def private_key(random: Random) -> str:
    name = random.choice(["RSA PRIVATE KEY", "PRIVATE KEY", "EC PRIVATE KEY", "OPENSSH PRIVATE KEY"])
    body = base64.b64encode(random.randbytes(random.choice([120, 600, 1200]))).decode()
    lines = "\n".join(body[at : at + 64] for at in range(0, len(body), 64))
    return f"-----BEGIN {name}-----\n{lines}\n-----END {name}-----"


def jwt(random: Random) -> str:
    def part(value):
        return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")

    signature = base64.urlsafe_b64encode(random.randbytes(32)).decode().rstrip("=")
    claims = {"sub": str(random.randrange(10**9)), "exp": 1_700_000_000}
    return f"{part({'alg': 'HS256', 'typ': 'JWT'})}.{part(claims)}.{signature}"


def password(random: Random) -> str:
    word = random.choice(["Yangon", "mango", "Shwedagon", "tiger", "inle", "Kandawgyi", "winter", "teashop"])
    return (
        word + random.choice("!#+?$-") * random.randint(0, 1) + str(random.randint(100, 99999)) + some(random, ALNUM, 3)
    )


TOKENS: dict[str, Callable[[Random], str]] = {
    "github": lambda r: r.choice(["ghp_", "gho_", "ghs_"]) + some(r, ALNUM, 36),
    "github fine": lambda r: f"github_pat_{some(r, ALNUM, 22)}_{some(r, ALNUM, 59)}",
    "gitlab": lambda r: "glpat-" + some(r, ALNUM, 20),
    "slack": lambda r: f"xoxb-{r.randrange(10**11, 10**12)}-{r.randrange(10**12, 10**13)}-{some(r, ALNUM, 24)}",
    "slack hook": lambda r: (
        "https://hooks.slack.com/services/"
        f"T{some(r, string.ascii_uppercase, 8)}/B{some(r, string.ascii_uppercase, 8)}/{some(r, ALNUM, 24)}"
    ),
    "google": lambda r: "AIza" + some(r, URLSAFE[:-1], 34) + some(r, ALNUM, 1),
    "hugging face": lambda r: "hf_" + some(r, string.ascii_letters, 34),
    "openai": lambda r: f"sk-{some(r, ALNUM, 20)}T3BlbkFJ{some(r, ALNUM, 20)}",
    "openai project": lambda r: "sk-proj-" + some(r, ALNUM, 48),
    "anthropic": lambda r: f"sk-ant-api03-{some(r, ALNUM, 80)}AA",
    "jwt": jwt,
    "npm": lambda r: "npm_" + some(r, ALNUM, 36),
    "stripe": lambda r: "sk_live_" + some(r, ALNUM, 24),
    "telegram": lambda r: f"{r.randrange(10**8, 10**10)}:AA{some(r, ALNUM, 33)}",
    "sendgrid": lambda r: f"SG.{some(r, ALNUM, 22)}.{some(r, ALNUM, 43)}",
    "databricks": lambda r: "dapi" + some(r, "0123456789abcdef", 32),
}


# --- writings: text with credentials in it, and which ---------------------------------------------------------


def aws_writing(random: Random) -> tuple[str, tuple[str, ...], str]:
    key, secret = aws_id(random), aws_secret(random)
    both = (key, secret)
    name, text, secrets = random.choice(
        [
            ("env", f"export AWS_ACCESS_KEY_ID={key}\nexport AWS_SECRET_ACCESS_KEY={secret}\n", both),
            ("dotenv", f"AWS_ACCESS_KEY_ID='{key}'\nAWS_SECRET_ACCESS_KEY='{secret}'\nAWS_REGION=us-east-1", both),
            ("powershell", f'$Env:AWS_ACCESS_KEY_ID="{key}"\n$Env:AWS_SECRET_ACCESS_KEY="{secret}"', both),
            ("cmd", f"set AWS_ACCESS_KEY_ID={key}\r\nset AWS_SECRET_ACCESS_KEY={secret}\r\n", both),
            ("ini", f"[default]\naws_access_key_id = {key}\naws_secret_access_key = {secret}\n", both),
            ("json", json.dumps({"AccessKey": {"AccessKeyId": key, "SecretAccessKey": secret}}, indent=2), both),
            ("compact json", json.dumps({"accessKeyId": key, "secretAccessKey": secret}), both),
            ("yaml", f"aws:\n  access_key: {key}\n  secret_key: {secret}\n", both),
            ("csv", f"Access key ID,Secret access key\n{key},{secret}\n", both),
            ("old csv", f"User name,Password,Access key ID,Secret access key\naye,,{key},{secret}\n", both),
            ("client", f'boto3.client("s3", aws_access_key_id="{key}", aws_secret_access_key="{secret}")', both),
            (
                "session",
                f"s = boto3.Session(\n    aws_access_key_id='{key}',\n    aws_secret_access_key='{secret}',\n)",
                both,
            ),
            ("positional", f"sess = connect('{key}', '{secret}')", both),
            (
                "environ",
                f'os.environ["AWS_ACCESS_KEY_ID"] = "{key}"\nos.environ["AWS_SECRET_ACCESS_KEY"] = "{secret}"',
                both,
            ),
            ("magic", f"%env AWS_ACCESS_KEY_ID={key}\n%env AWS_SECRET_ACCESS_KEY={secret}", both),
            ("configure", f"!aws configure set aws_secret_access_key {secret}", (secret,)),
            ("spark", f'hadoop.set("fs.s3a.access.key", "{key}")\nhadoop.set("fs.s3a.secret.key", "{secret}")', both),
            ("terraform", f'provider "aws" {{\n  access_key = "{key}"\n  secret_key = "{secret}"\n}}', both),
            ("docker", f"ENV AWS_ACCESS_KEY_ID {key}\nENV AWS_SECRET_ACCESS_KEY {secret}", both),
            ("prose", f"I used the access key {key} and its secret {secret} for this.", both),
            ("id alone", f"The key {key} had too many rights.", (key,)),
            ("secret alone", f"print('{secret}')", (secret,)),
            ("comment", f"# {key} / {secret}", both),
            ("address", f"s3://{key}:{secret.replace('/', '%2F')}@bucket/data", (key,)),
            ("cli table", f"|  AccessKeyId      |  {key}  |\n|  SecretAccessKey  |  {secret}  |", both),
        ]
    )
    return text, secrets, f"aws {name}"


def temporary_writing(random: Random) -> tuple[str, tuple[str, ...], str]:
    key, secret, token = aws_id(random, "ASIA"), aws_secret(random), session_token(random)
    text = random.choice(
        [
            json.dumps(
                {"Credentials": {"AccessKeyId": key, "SecretAccessKey": secret, "SessionToken": token}}, indent=4
            ),
            f"export AWS_ACCESS_KEY_ID={key}\nexport AWS_SECRET_ACCESS_KEY={secret}\nexport AWS_SESSION_TOKEN={token}",
            f"[lab]\naws_access_key_id={key}\naws_secret_access_key={secret}\naws_session_token={token}\n",
        ]
    )
    return text, (key, secret, token), "aws temporary"


def token_writing(random: Random) -> tuple[str, tuple[str, ...], str]:
    name = random.choice(list(TOKENS))
    token = TOKENS[name](random)
    text = random.choice(
        [
            f'TOKEN = "{token}"',
            f"export API_TOKEN={token}",
            f"client = Client(api_key='{token}')",
            f'{{"token": "{token}"}}',
            f"token: {token}",
            f"headers = {{'Authorization': 'Bearer {token}'}}",
            f"login(token='{token}', add_to_git_credential=True)",
            f"I pasted {token} here.",
            f"!curl -H 'X-Key: {token}' https://api.example.com/v1",
        ]
    )
    return text, (token,), f"token {name}"


def password_writing(random: Random) -> tuple[str, tuple[str, ...], str]:
    word = password(random)
    name, text = random.choice(
        [
            ("python", f'password = "{word}"'),
            ("keyword", f"connect(host='db.internal', user='aye', password='{word}')"),
            ("json", json.dumps({"username": "aye", "password": word})),
            ("yaml", f"db:\n  user: aye\n  password: {word}\n"),
            ("env", f"DB_PASSWORD={word}"),
            ("ini", f"[db]\nuser=aye\npassword={word}\n"),
            ("url", f"postgresql://aye:{word}@db.internal:5432/shop"),
            ("mysql url", f'engine = create_engine("mysql+pymysql://aye:{word}@10.0.0.7/shop")'),
            ("mongo", f"mongodb+srv://aye:{word}@cluster0.ab1cd.mongodb.net/?retryWrites=true"),
            ("environ", f"os.environ['REDSHIFT_PASSWORD'] = '{word}'"),
            ("option", f"mysql --user=aye --password={word} shop"),
            ("curl", f"curl -u aye:{word} https://jenkins.internal/"),
            ("xml", f"<db><user>aye</user><password>{word}</password></db>"),
            ("getenv", f"pw = os.getenv('DB_PASSWORD', '{word}')"),
            ("short name", f"DB_PASS='{word}'"),
            ("sql", f"CREATE USER aye IDENTIFIED BY '{word}';"),
            ("netrc", f"machine git.internal\n  login aye\n  password {word}\n"),
            ("pgpass", f"db.internal:5432:shop:aye:{word}\n"),
            ("connection string", f"Server=db;Database=shop;User Id=aye;Password={word};"),
            ("sentence", f"The database's password is {word}, as in class."),
        ]
    )
    return text, (word,), f"password {name}"


def key_writing(random: Random) -> tuple[str, tuple[str, ...], str]:
    key = private_key(random)
    return random.choice([key, f'KEY = """{key}"""', json.dumps({"private_key": key})]), (key,), "private key"


WRITINGS = [aws_writing, aws_writing, aws_writing, temporary_writing, token_writing, token_writing, password_writing]
WRITINGS += [key_writing]


# --- clean text ----------------------------------------------------------------------------------------------


def hexes(random: Random, number: int) -> str:
    return random.randbytes(number // 2).hex()


def uuid_of(random: Random) -> str:
    found = hexes(random, 32)
    return f"{found[:8]}-{found[8:12]}-{found[12:16]}-{found[16:20]}-{found[20:]}"


def account_of(random: Random) -> str:
    return str(random.randrange(10**11, 10**12))


CLEAN_CODE: list[Callable[[Random], str]] = [
    lambda r: "import boto3\nimport pandas as pd\n\nsession = boto3.Session()\ns3 = session.client('s3')",
    lambda r: (
        's3 = boto3.client("s3",\n    aws_access_key_id=os.environ["AWS_ACCESS_KEY_ID"],\n'
        '    aws_secret_access_key=os.environ["AWS_SECRET_ACCESS_KEY"],\n)'
    ),
    lambda r: (
        'aws_access_key_id = "AKIAIOSFODNN7EXAMPLE"\naws_secret_access_key = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"'
    ),
    lambda r: 'ACCESS_KEY = "YOUR_ACCESS_KEY"\nSECRET_KEY = "YOUR_SECRET_KEY"',
    lambda r: "from getpass import getpass\npassword = getpass('Password: ')\ntoken = getpass(\"Token: \")",
    lambda r: f'role = "arn:aws:iam::{account_of(r)}:role/service-role/AmazonSageMaker-ExecutionRole-20250901T101112"',
    lambda r: f'image = "{account_of(r)}.dkr.ecr.us-east-1.amazonaws.com/churn@sha256:{hexes(r, 64)}"',
    lambda r: "tokenizer.pad_token = tokenizer.eos_token\nmax_tokens = 512\nprint(tokenizer.special_tokens_map)",
    lambda r: (
        'secret = boto3.client("secretsmanager").get_secret_value(SecretId="prod/churn/db")["SecretString"]\n'
        'password = json.loads(secret)["password"]'
    ),
    lambda r: 'page = s3.list_objects_v2(Bucket=bucket, ContinuationToken=page["NextContinuationToken"])',
    lambda r: 'df["token_count"] = df.text.str.split().str.len()\nkey = "train/part-0001.csv"',
    lambda r: 'url = f"postgresql://{user}:{password}@{host}:5432/{db}"',
    lambda r: f"!pip install xgboost==1.7.6 --hash=sha256:{hexes(r, 64)}",
    lambda r: f'commit = "{hexes(r, 40)}"  # git rev-parse HEAD\nassert md5 == "{hexes(r, 32)}"',
    lambda r: "def login(username, password, token=None):\n    return auth(username, password=password, token=token)",
    lambda r: 'parser.add_argument("--password", help="Password of the database, read from the environment")',
    lambda r: 'kms_key_id = "alias/aws/s3"\nencryption = {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": kms_key_id}',
    lambda r: 'api_key = os.getenv("OPENAI_API_KEY")\nif not api_key:\n    raise SystemExit("Set OPENAI_API_KEY")',
    lambda r: "hyperparameters = {'max_depth': 5, 'eta': 0.2, 'objective': 'binary:logistic', 'num_round': 100}",
    lambda r: f'job = "xgboost-2025-09-{r.randint(10, 28)}-10-11-12-771"\nclient_token = str(uuid4())',
    lambda r: "# Never write password = '...' here; use Secrets Manager.\nconfig = configparser.ConfigParser()",
    lambda r: 'columns = ["username", "password", "email", "created_at"]\nsecret_name = "rds-db-credentials/cluster-1"',
    lambda r: f"widths = dict(zip(names, {[r.randint(1, 99) for _ in range(12)]}))",
]
CLEAN_OUTPUT: list[Callable[[Random], str]] = [
    lambda r: (
        f'{{\n    "UserId": "AIDA{some(r, string.ascii_uppercase, 17)}",\n    "Account": "{account_of(r)}",\n'
        f'    "Arn": "arn:aws:iam::{account_of(r)}:user/aye"\n}}'
    ),
    lambda r: json.dumps(
        {
            "ResponseMetadata": {
                "RequestId": uuid_of(r),
                "HostId": base64.b64encode(r.randbytes(56)).decode(),
                "HTTPHeaders": {"x-amz-request-id": some(r, string.ascii_uppercase + string.digits, 16)},
            },
            "ETag": f'"{hexes(r, 32)}"',
            "NextContinuationToken": base64.b64encode(r.randbytes(60)).decode(),
        },
        indent=1,
    ),
    lambda r: "\n".join(f"[{n}]\ttrain-error:{r.random():.5f}\tvalidation-error:{r.random():.5f}" for n in range(40)),
    lambda r: "2025-09-10 03:11:02 Uploading - Uploading generated training model\nBillable seconds: 71",
    lambda r: (
        "Collecting xgboost\n  Downloading xgboost-1.7.6-py3-none-manylinux2014_x86_64.whl (200.3 MB)\n"
        f"Successfully built {hexes(r, 40)}"
    ),
    lambda r: 'NoCredentialsError: Unable to locate credentials\nTraceback (most recent call last):\n  File "x.py"',
    lambda r: (
        "Location: https://objects.githubusercontent.com/asset?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential="
        f"{aws_id(r)}%2F20250910%2Fus-east-1%2Fs3%2Faws4_request&X-Amz-Signature={hexes(r, 64)} [following]"
    ),
    lambda r: f"sha256:{hexes(r, 64)}: Pushed\nlatest: digest: sha256:{hexes(r, 64)} size: 2417",
    lambda r: "An error occurred (ExpiredToken): The security token included in the request is expired",
    lambda r: f"ssh-rsa {base64.b64encode(r.randbytes(279)).decode()} aye@laptop",
    lambda r: (
        "   tenure  charges  token_count  has_password\n"
        + "\n".join(f"{n}  {r.randint(1, 70)}  {r.random() * 100:.2f}  {r.randint(1, 9)}  True" for n in range(12))
    ),
    lambda r: f"<sagemaker.estimator.Estimator object at 0x7f{hexes(r, 10)}>\nvol-0{hexes(r, 16)} i-0{hexes(r, 16)}",
    lambda r: (
        "-----BEGIN CERTIFICATE-----\n"
        + "\n".join(some(r, ALNUM + "+/", 64) for _ in range(12))
        + "\n-----END CERTIFICATE-----"
    ),
    lambda r: (
        f"s3://sagemaker-us-east-1-{account_of(r)}/churn/output/xgboost-2025-09-10-03-11-02-771/output/model.tar.gz"
    ),
]
CLEAN_PROSE: list[Callable[[Random], str]] = [
    lambda r: "## Case 1\n\nI recommend the cloud, because of peaks. **Cost**: 4 x 0.17 x 730 = $496 a month.",
    lambda r: "Access keys look like `AKIAIOSFODNN7EXAMPLE`. Never put a password or a secret into a notebook.",
    lambda r: "The token expires after an hour; the secret key stays in Secrets Manager, the role does the rest.",
    lambda r: "| user | password policy |\n|---|---|\n| aye | MFA |\n\nPassword: required. Token: optional.",
    lambda r: "Set it so:\n\n    export AWS_ACCESS_KEY_ID=<your id>\n    export AWS_SECRET_ACCESS_KEY=<your secret>\n",
    lambda r: "Run `psql postgresql://user:password@localhost:5432/db` and see `AKIA****************`.",
    lambda r: (
        "The policy is arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess; see https://docs.aws.amazon.com/IAM/latest/"
        "UserGuide/id_credentials_access-keys.html#Using_CreateAccessKey."
    ),
    lambda r: "Private keys begin with `-----BEGIN RSA PRIVATE KEY-----`; grep for that line before you push.",
]


# --- containers ----------------------------------------------------------------------------------------------


def _lines(text: str) -> list[str]:
    return text.splitlines(keepends=True)


def picture(random: Random) -> str:
    return base64.b64encode(b"\x89PNG\r\n\x1a\n" + random.randbytes(random.randint(2_000, 12_000))).decode()


def clean_cell(random: Random) -> dict:
    if random.random() < 0.35:
        return {"cell_type": "markdown", "metadata": {}, "source": _lines(random.choice(CLEAN_PROSE)(random))}
    outputs: list[dict] = []
    for _ in range(random.randint(0, 2)):
        text = random.choice(CLEAN_OUTPUT)(random)
        outputs.append(
            random.choice(
                [
                    {"output_type": "stream", "name": "stdout", "text": _lines(text)},
                    {
                        "output_type": "execute_result",
                        "execution_count": 3,
                        "metadata": {},
                        "data": {
                            "text/plain": _lines(text),
                            "text/html": [f"<table><tr><td>{text[:300]}</td></tr></table>"],
                        },
                    },
                    {
                        "output_type": "display_data",
                        "metadata": {},
                        "data": {"image/png": picture(random), "text/plain": ["<Figure size 640x480 with 1 Axes>"]},
                    },
                    {
                        "output_type": "error",
                        "ename": "ClientError",
                        "evalue": text[:80],
                        "traceback": [f"\x1b[0;31mClientError\x1b[0m: {text}"],
                    },
                ]
            )
        )
    source = random.choice(CLEAN_CODE)(random)
    return {
        "cell_type": "code",
        "execution_count": random.randint(1, 60),
        "id": hexes(random, 8),
        "metadata": {},
        "source": _lines(source),
        "outputs": outputs,
    }


def notebook(cells: list[dict], random: Random) -> bytes:
    return json.dumps(
        {
            "cells": cells,
            "metadata": {
                "kernelspec": {"display_name": "conda_python3", "language": "python", "name": "conda_python3"},
                "language_info": {"name": "python", "version": "3.10.8"},
            },
            "nbformat": 4,
            "nbformat_minor": 5,
        },
        indent=random.choice([None, 1, 1, 1]),
    ).encode()


def pdf(pages: list[list[str]], *, compress: bool) -> bytes:
    """A PDF of lines of text: what Word or a browser would print."""
    made = pydyf.PDF()
    font = pydyf.Dictionary(
        {"Type": "/Font", "Subtype": "/Type1", "BaseFont": "/Courier", "Encoding": "/WinAnsiEncoding"}
    )
    made.add_object(font)
    for lines in pages:
        content = pydyf.Stream(compress=compress)
        content.begin_text()
        content.set_font_size("F1", 9)
        content.set_text_matrix(1, 0, 0, 1, 40, 780)
        content.stream.append(b"12 TL")
        for line in lines:
            content.show_text_string(line.encode("ascii", "replace").decode())
            content.stream.append(b"T*")
        content.end_text()
        made.add_object(content)
        made.add_page(
            pydyf.Dictionary(
                {
                    "Type": "/Page",
                    "Parent": made.pages.reference,
                    "MediaBox": pydyf.Array([0, 0, 595, 842]),
                    "Contents": content.reference,
                    "Resources": pydyf.Dictionary({"Font": pydyf.Dictionary({"F1": font.reference})}),
                }
            )
        )
    held = io.BytesIO()
    made.write(held)
    return held.getvalue()


def zipped(files: dict[str, bytes]) -> bytes:
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return held.getvalue()


def wrapped(text: str, width: int = 95) -> list[str]:
    return [line[at : at + width] for line in text.splitlines() for at in range(0, max(1, len(line)), width)]


def dirty_items(number: int, seed: int) -> Iterator[Item]:
    """`number` files with made-up credentials in them, all writings in all containers."""
    random = Random(f"dirty {seed}")
    for n in range(number):
        text, secrets, kind = random.choice(WRITINGS)(random)
        container = ["text", "source", "output", "markdown", "pdf", "zip", "error"][n % 7]
        if container == "text":
            ending = random.choice(["txt", "md", "yaml", "json", "csv", "py"] if "ini" not in kind else ["txt", "md"])
            before = random.choice(CLEAN_PROSE)(random) if ending in ("md", "txt") else ""
            if ending == "py" and kind.split()[-1] in ("yaml", "env", "ini", "docker", "temporary", "csv"):
                ending = "txt"
            yield Item(f"a{n}.{ending}", f"{before}\n{text}\n".encode(), secrets, "line", f"{kind} in .{ending}")
        elif container == "pdf":
            pages = [wrapped(random.choice(CLEAN_PROSE)(random)) for _ in range(random.randint(0, 2))]
            yield Item(
                f"a{n}.pdf",
                pdf([*pages, wrapped(text), *pages], compress=random.random() < 0.7),
                secrets,
                f"page {len(pages) + 1}",
                f"{kind} in a PDF",
            )
        elif container == "zip":
            name = random.choice([".env", "src/config.txt", "notes.md", "data/keys.csv", "नमस्ते.txt"])
            inner = {"README.md": CLEAN_PROSE[0](random).encode(), name: text.encode()}
            content = zipped(inner)
            if random.random() < 0.3:
                content = zipped({"inner.zip": content})
            yield Item(f"a{n}.zip", content, secrets, name, f"{kind} in a ZIP")
        else:
            cells = [clean_cell(random) for _ in range(random.randint(1, 6))]
            at = random.randint(0, len(cells))
            stream = {"output_type": "stream", "name": "stdout", "text": _lines(text)}
            wrong = {"output_type": "error", "ename": "E", "evalue": text, "traceback": [f"\x1b[1;32m{text}\x1b[0m"]}
            code = {"cell_type": "code", "execution_count": 1, "metadata": {}, "source": "show()", "outputs": []}
            cell = {
                "source": {**code, "source": _lines(text)},
                "output": {**code, "outputs": [stream]},
                "error": {**code, "outputs": [wrong]},
                "markdown": {"cell_type": "markdown", "metadata": {}, "source": text},
            }[container]
            cells.insert(at, cell)
            yield Item(f"a{n}.ipynb", notebook(cells, random), secrets, f"cell {at + 1}", f"{kind} in a {container}")


def clean_items(number: int, seed: int) -> Iterator[Item]:
    """`number` files without a credential, most of them notebooks in the shape of real ones."""
    random = Random(f"clean {seed}")
    for n in range(number):
        container = random.choice(["notebook"] * 7 + ["md", "py", "pdf"])
        if container == "notebook":
            cells = [clean_cell(random) for _ in range(random.randint(4, 20))]
            yield Item(f"c{n}.ipynb", notebook(cells, random), (), "", "notebook")
        elif container == "pdf":
            pages = [wrapped(random.choice(CLEAN_PROSE + CLEAN_OUTPUT)(random)) for _ in range(3)]
            yield Item(f"c{n}.pdf", pdf(pages, compress=True), (), "", "pdf")
        else:
            parts = CLEAN_PROSE if container == "md" else CLEAN_CODE
            text = "\n\n".join(random.choice(parts)(random) for _ in range(8))
            yield Item(f"c{n}.{container}", text.encode(), (), "", container)


def digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()

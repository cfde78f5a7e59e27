"""A strict fake of the services that practice mode lacks: Studio, MLflow, feature groups, inference components, Kendra,
Bedrock's knowledge bases and throughput. With EventBridge Scheduler and the tagging API, as far as we ask them.

Its clients are boto3's own. What is asked and what is answered is held against AWS's description of the service, enums
too; between the two it behaves as AWS does: states take time, what was just made is not shown yet, lists come in small
pages, a name is taken once, what still holds something refuses to go, and who writes too often is throttled.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import boto3
from botocore.validate import validate_parameters

from labs.tests.strict_sorts import ACCOUNT, REGION, SORTS, Sort

A_PAGE = 2
DELETED = "Deleted"  # an app is shown for a day after its end
WRITES = ("Create", "Delete", "Start", "Stop", "Update")


class Refusal(Exception):
    def __init__(self, code: str, words: str):
        super().__init__(f"{code}: {words}")
        self.code, self.words = code, words


@dataclass
class Thing:
    """states: (since, AWS's word), the later ones still to come; "" for gone."""

    sort: str
    id: str
    facts: dict[str, Any]
    tags: dict[str, str]
    made_at: datetime
    shown_at: datetime
    states: list[tuple[datetime, str]]

    @property
    def kind(self) -> Sort:
        return SORTS[self.sort]

    @property
    def arn(self) -> str:
        return f"arn:aws:{self.kind.arn.format(id=self.id)}"

    def state(self, now: datetime) -> tuple[datetime, str]:
        return [each for each in self.states if each[0] <= now][-1]

    def turn(self, now: datetime, *then: tuple[float, str]) -> None:
        """It is to be in these states, so many seconds from now."""
        self.states = [each for each in self.states if each[0] <= now]
        self.states += [(now + timedelta(seconds=after), word) for after, word in then]


@dataclass
class StrictServices:
    """One region of one account. `refused` holds the changes that it said no to by itself, in words; `file_systems`
    those that domains have made and nobody has deleted. at(number, operation, "before" | "after") may raise what
    happens there."""

    clock: Callable[[], datetime]
    shown_after: float = 2
    writes_a_second: int = 5
    things: list[Thing] = field(default_factory=list)
    calls: list[str] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)
    file_systems: set[str] = field(default_factory=set)
    schedules: dict[str, dict[str, Any]] = field(default_factory=dict)
    groups: set[str] = field(default_factory=set)
    writes: list[datetime] = field(default_factory=list)
    at: Callable[[int, str, str], None] = lambda number, operation, when: None

    def client(self, account: Any, service: str, region: str | None = None, *, config: Any = None) -> Any:
        """In place of labs.aws.client."""
        _answering[service] = self
        return _client(service)

    def arn_of(self, id_: str) -> str:
        return next(each.arn for each in self.alive() if id_ in (each.id, each.arn))

    def alive(self, sort: str = "") -> list[Thing]:
        return [
            each for each in self.things if each.state(self.clock())[1] not in ("", DELETED) and sort in ("", each.sort)
        ]

    def answer(self, model: Any, asked: Mapping[str, Any]) -> tuple[int, dict[str, Any]]:
        """(HTTP status, what is answered) of one call."""
        operation = model.name
        _check_enums(asked, model.input_shape, operation)
        self.calls.append(operation)
        number = len(self.calls)
        self.at(number, operation, "before")
        try:
            self._may_write(operation)
            told = self._act(model, asked)
        except Refusal as no:
            if operation.startswith(WRITES) and "Schedule" not in operation:
                self.refused.append(f"{operation}: {no}")
            return 400, {"Error": {"Code": no.code, "Message": no.words}}
        if model.output_shape is not None:
            validate_parameters(told, model.output_shape)
            _check_enums(told, model.output_shape, operation)
        self.at(number, operation, "after")
        return 200, told

    def _may_write(self, operation: str) -> None:
        if not operation.startswith(WRITES) or "Schedule" in operation:
            return
        now = self.clock()
        self.writes = [each for each in self.writes if now - each < timedelta(seconds=1)]
        if len(self.writes) >= self.writes_a_second:
            raise Refusal("ThrottlingException", "Rate exceeded")
        self.writes.append(now)

    def _act(self, model: Any, asked: Mapping[str, Any]) -> dict[str, Any]:
        operation, service = model.name, model.service_model.service_name
        for sort, kind in SORTS.items():
            verbs = {kind.create: self._create, kind.describe: self._describe, kind.lists: self._list}
            verbs[kind.delete] = self._delete
            if service == kind.service and operation in verbs:
                return verbs[operation](sort, model, asked)
        return getattr(self, f"_{operation}")(model, asked)

    # --- the four verbs of all sorts ---

    def _create(self, sort: str, model: Any, asked: Mapping[str, Any]) -> dict[str, Any]:
        kind, now = SORTS[sort], self.clock()
        facts = {name: value for name, value in asked.items() if name not in ("Tags", "tags", "clientToken")}
        getattr(self, f"_new_{sort}", lambda facts: None)(facts)
        number = f"{len(self.things) + 1:0{36 if sort == 'index' else 10}d}"
        own = kind.known_by[-1]
        facts.setdefault(own, f"d-{number}" if sort == "domain" else number)
        tags = asked.get("Tags", asked.get("tags", ()))
        tags = tags if isinstance(tags, Mapping) else {_of(tag, "key"): _of(tag, "value") for tag in tags}
        thing = Thing(sort, _id(kind, facts), facts, dict(tags), now, now + timedelta(seconds=self.shown_after), [])
        same = [each for each in self.alive(sort) if each.id == thing.id or _name(each) == _name(thing) != ""]
        if same:
            raise Refusal(kind.taken, f"{sort} {_name(thing) or thing.id} already exists")
        if kind.arn_member:
            facts[kind.arn_member] = thing.arn
        thing.turn(now, (0, kind.coming), (kind.ready_after, kind.up))
        self.things.append(thing)
        return self._told(thing, model.output_shape)

    def _describe(self, sort: str, model: Any, asked: Mapping[str, Any]) -> dict[str, Any]:
        return self._told(self._found(sort, asked), model.output_shape)

    def _list(self, sort: str, model: Any, asked: Mapping[str, Any]) -> dict[str, Any]:
        kind, now = SORTS[sort], self.clock()
        line = model.output_shape.members[kind.listed_in].member
        # A list is later than a describe.
        shown = [each for each in self._there(sort) if each.shown_at + timedelta(seconds=self.shown_after) <= now]
        lines = [self._told(each, line) for each in shown]
        for name, value in asked.items():
            if name.endswith("Equals"):
                lines = [each for each in lines if each.get(name.removesuffix("Equals")) == value]
            elif name == "knowledgeBaseId":
                lines = [each for each in lines if each[name] == value]
        return self._page(kind.listed_in, lines, model, asked)

    def _delete(self, sort: str, model: Any, asked: Mapping[str, Any]) -> dict[str, Any]:
        thing, now = self._found(sort, asked), self.clock()
        kind, state = thing.kind, thing.state(now)[1]
        if state == DELETED:
            raise Refusal(kind.missing, f"{sort} {thing.id} does not exist")
        if state == kind.going or (state == kind.coming != kind.up and sort != "app"):
            raise Refusal(kind.busy, f"{sort} {thing.id} is {state}")
        if holds := self._held_by(thing):
            raise Refusal(kind.busy, f"{sort} {thing.id} still has {', '.join(holds)}")
        if sort == "throughput" and thing.facts.get("commitmentDuration"):
            raise Refusal("ConflictException", "it was bought for a time that is not over")
        if sort == "domain" and asked.get("RetentionPolicy", {}).get("HomeEfsFileSystem") == "Delete":
            self.file_systems.discard(thing.facts["HomeEfsFileSystemId"])
        thing.turn(now, (0, kind.going), (kind.gone_after, DELETED if sort == "app" else ""))
        return self._told(thing, model.output_shape) if model.output_shape is not None else {}

    def _there(self, sort: str) -> Iterator[Thing]:
        now = self.clock()
        for each in self.things:
            if each.sort == sort and each.shown_at <= now and each.state(now)[1]:
                yield each

    def _found(self, sort: str, asked: Mapping[str, Any]) -> Thing:
        kind, wanted = SORTS[sort], _id(SORTS[sort], asked)
        for each in reversed(list(self._there(sort))):
            if wanted in (each.id, each.facts.get("provisionedModelArn")):
                return each
        raise Refusal(kind.missing, f"{sort} {wanted} does not exist")

    def _held_by(self, thing: Thing) -> list[str]:
        def stands_in(other: Thing) -> bool:
            facts, owner = other.facts, other.facts.get("OwnershipSettings", {}).get("OwnerUserProfileName")
            if thing.sort == "base":
                return other.sort == "source" and facts["knowledgeBaseId"] == thing.id
            if facts.get("DomainId") != thing.facts.get("DomainId") or other is thing:
                return False
            own = thing.facts.get("UserProfileName"), thing.facts.get("SpaceName")
            return {
                "domain": True,
                "profile": own[0] in (facts.get("UserProfileName"), owner),
                "space": other.sort == "app" and own[1] == facts.get("SpaceName"),
            }.get(thing.sort, False)

        return [f"{each.sort} {each.id}" for each in self.alive() if stands_in(each)]

    def _told(self, thing: Thing, shape: Any) -> dict[str, Any]:
        """As much of it as this answer has members for."""
        kind = thing.kind
        if kind.wrapped_in and kind.wrapped_in in shape.members:
            return {kind.wrapped_in: self._told(thing, shape.members[kind.wrapped_in])}
        since, word = thing.state(self.clock())
        facts = thing.facts | {kind.status: word, kind.made: thing.made_at, kind.changed: since}
        return {name: facts[name] for name in shape.members if name in facts}

    def _page(self, member: str, lines: list[Any], model: Any, asked: Mapping[str, Any]) -> dict[str, Any]:
        token = next(name for name in model.output_shape.members if name.lower().endswith("token"))
        begin = int(asked.get(token) or 0)
        page: dict[str, Any] = {member: lines[begin : begin + A_PAGE]}
        return page | ({token: str(begin + A_PAGE)} if lines[begin + A_PAGE :] else {})

    # --- what is new of each sort, beside what was asked ---

    def _must_be_up(self, sort: str, **known_by: str) -> None:
        thing = self._found(sort, known_by)
        if thing.state(self.clock())[1] != thing.kind.up:
            raise Refusal("ValidationException", f"{sort} {thing.id} is not {thing.kind.up}")

    def _new_domain(self, facts: dict[str, Any]) -> None:
        facts["HomeEfsFileSystemId"] = f"fs-{len(self.things):08x}"
        self.file_systems.add(facts["HomeEfsFileSystemId"])

    def _new_profile(self, facts: dict[str, Any]) -> None:
        self._must_be_up("domain", DomainId=facts["DomainId"])

    def _new_space(self, facts: dict[str, Any]) -> None:
        owner = facts["OwnershipSettings"]["OwnerUserProfileName"]
        self._must_be_up("profile", DomainId=facts["DomainId"], UserProfileName=owner)
        kept = ("AppType", "SpaceStorageSettings")
        settings = facts["SpaceSettings"]
        facts["SpaceSettingsSummary"] = {name: settings[name] for name in kept if name in settings}
        facts["OwnershipSettingsSummary"] = facts["OwnershipSettings"]

    def _new_app(self, facts: dict[str, Any]) -> None:
        whose = "space" if facts.get("SpaceName") else "profile"
        self._must_be_up(whose, **facts)

    def _new_mlflow(self, facts: dict[str, Any]) -> None:
        facts["IsActive"] = "Active"
        facts.setdefault("TrackingServerSize", "Small")

    def _new_features(self, facts: dict[str, Any]) -> None:
        facts |= {"NextToken": "", "OnlineStoreTotalSizeBytes": 3 * 2**20}

    def _new_component(self, facts: dict[str, Any]) -> None:
        facts["EndpointArn"] = f"arn:aws:sagemaker:{REGION}:{ACCOUNT}:endpoint/{facts['EndpointName']}"

    def _new_throughput(self, facts: dict[str, Any]) -> None:
        model = f"arn:aws:bedrock:{REGION}::foundation-model/{facts['modelId']}"
        facts |= dict.fromkeys(("modelArn", "desiredModelArn", "foundationModelArn"), model)
        facts["desiredModelUnits"] = facts["modelUnits"]

    # --- what only some have ---

    def _StartMlflowTrackingServer(self, model: Any, asked: Mapping[str, Any]) -> dict[str, Any]:
        return self._turned(asked, "Stopped", "Starting", "Started", "Active")

    def _StopMlflowTrackingServer(self, model: Any, asked: Mapping[str, Any]) -> dict[str, Any]:
        return self._turned(asked, ("Created", "Started"), "Stopping", "Stopped", "Inactive")

    def _turned(self, asked: Mapping[str, Any], whence: Any, coming: str, then: str, active: str) -> dict[str, Any]:
        thing, now = self._found("mlflow", asked), self.clock()
        if thing.state(now)[1] not in whence:
            raise Refusal("ConflictException", f"it is {thing.state(now)[1]}")
        thing.turn(now, (0, coming), (60, then))
        thing.facts["IsActive"] = active
        return {"TrackingServerArn": thing.arn}

    def _ListTags(self, model: Any, asked: Mapping[str, Any]) -> dict[str, Any]:
        lines = [{"Key": key, "Value": value} for key, value in self._by_arn(asked["ResourceArn"]).tags.items()]
        return self._page("Tags", lines, model, asked)

    def _ListTagsForResource(self, model: Any, asked: Mapping[str, Any]) -> dict[str, Any]:
        tags = self._by_arn(next(iter(asked.values()))).tags
        [(member, shape)] = model.output_shape.members.items()
        if shape.type_name == "map":
            return {member: tags}
        return {member: [dict(zip(shape.member.members, tag, strict=True)) for tag in tags.items()]}

    def _by_arn(self, arn: str) -> Thing:
        for each in self.things:
            if each.arn == arn and each.state(self.clock())[1] not in ("", DELETED):
                return each
        raise Refusal("ResourceNotFound", f"{arn} does not exist")

    def _GetResources(self, model: Any, asked: Mapping[str, Any]) -> dict[str, Any]:
        """Tags outlive what they were put on."""
        filters = {one["Key"]: one["Values"] for one in asked.get("TagFilters", ())}
        found = [
            {"ResourceARN": each.arn, "Tags": [{"Key": key, "Value": value} for key, value in each.tags.items()]}
            for each in self.things
            if each.tags and all(each.tags.get(key) in values for key, values in filters.items())
        ]
        types = asked.get("ResourceTypeFilters")
        of_type = [one for one in found if not types or any(_is_of_type(one["ResourceARN"], each) for each in types)]
        return self._page("ResourceTagMappingList", of_type, model, asked)

    # --- EventBridge Scheduler ---

    def _CreateScheduleGroup(self, model: Any, asked: Mapping[str, Any]) -> dict[str, Any]:
        if asked["Name"] in self.groups:
            raise Refusal("ConflictException", "it already exists")
        self.groups.add(asked["Name"])
        return {"ScheduleGroupArn": "arn:aws:scheduler:::group"}

    def _CreateSchedule(self, model: Any, asked: Mapping[str, Any]) -> dict[str, Any]:
        if asked["GroupName"] not in self.groups:
            raise Refusal("ResourceNotFoundException", "no such group")
        if asked["Name"] in self.schedules:
            raise Refusal("ConflictException", "it already exists")
        self.schedules[asked["Name"]] = dict(asked)
        return {"ScheduleArn": "arn:aws:scheduler:::schedule"}

    def _UpdateSchedule(self, model: Any, asked: Mapping[str, Any]) -> dict[str, Any]:
        self._schedule(asked)
        self.schedules[asked["Name"]] = dict(asked)
        return {"ScheduleArn": "arn:aws:scheduler:::schedule"}

    def _GetSchedule(self, model: Any, asked: Mapping[str, Any]) -> dict[str, Any]:
        return {name: value for name, value in self._schedule(asked).items() if name in model.output_shape.members}

    def _DeleteSchedule(self, model: Any, asked: Mapping[str, Any]) -> dict[str, Any]:
        self._schedule(asked)
        del self.schedules[asked["Name"]]
        return {}

    def _schedule(self, asked: Mapping[str, Any]) -> dict[str, Any]:
        if asked["Name"] not in self.schedules:
            raise Refusal("ResourceNotFoundException", "no such schedule")
        return self.schedules[asked["Name"]]

    def fire_due(self) -> list[str]:
        """AWS's scheduler by itself: it makes the calls of due schedules, by the same description of the service, and
        deletes them. Answers the operations."""
        fired = []
        for name, schedule in list(self.schedules.items()):
            at = datetime.strptime(schedule["ScheduleExpression"], "at(%Y-%m-%dT%H:%M:%S)").replace(tzinfo=UTC)
            if at <= self.clock():
                del self.schedules[name]
                service, action = schedule["Target"]["Arn"].rsplit(":", 2)[1:]
                client, operation = self.client(None, service), action[0].upper() + action[1:]
                verb = next(verb for verb, of in client.meta.method_to_api_mapping.items() if of == operation)
                members = client.meta.service_model.operation_model(operation).input_shape.members
                # A universal target begins its members with a capital; Bedrock's API does not.
                written = {member.lower(): member for member in members}
                given = json.loads(schedule["Target"]["Input"])
                getattr(client, verb)(**{written[key.lower()]: value for key, value in given.items()})
                fired.append(operation)
        return fired


# --- words -----------------------------------------------------------------------------------------------------


def _id(kind: Sort, asked: Mapping[str, Any]) -> str:
    if "AppName" in kind.known_by:
        whose = asked.get("SpaceName") or f"user:{asked['UserProfileName']}"
        return "/".join((asked["DomainId"], whose, asked["AppType"], asked["AppName"]))
    return "/".join(str(asked[member]) for member in kind.known_by)


def _name(thing: Thing) -> str:
    """What nobody else of the sort may be called, where that is not its id."""
    return str(thing.facts.get("DomainName") or thing.facts.get("provisionedModelName") or "")


def _of(tag: Mapping[str, str], member: str) -> str:
    return tag.get(member) or tag[member.title()]


def _is_of_type(arn: str, type_: str) -> bool:
    service, _, of = type_.partition(":")
    return arn.split(":")[2] == service and arn.split(":", 5)[5].startswith(f"{of}/")


def _check_enums(value: Any, shape: Any, where: str) -> None:
    """botocore checks members and types, and lets any word through where AWS has a list of them."""
    if shape is None:
        return
    if shape.type_name == "structure":
        for name, inner in value.items():
            _check_enums(inner, shape.members[name], f"{where}.{name}")
    elif shape.type_name == "list":
        for inner in value:
            _check_enums(inner, shape.member, where)
    elif shape.type_name == "string" and shape.enum:
        assert value in shape.enum, f"{where}: {value!r} is none of {shape.enum}"


# --- boto3's clients -------------------------------------------------------------------------------------------

_session = boto3.session.Session()
_answering: dict[str, StrictServices] = {}


@functools.cache
def _client(service: str) -> Any:
    """Made once a process; it is answered by whoever was asked for it last."""
    made = _session.client(service, region_name=REGION, aws_access_key_id="x", aws_secret_access_key="x")

    def keep(params, context, **_):
        context["asked"] = params

    def answer(model, context, **_):
        status, told = _answering[service].answer(model, context["asked"])
        told["ResponseMetadata"] = {"HTTPStatusCode": status}
        return SimpleNamespace(status_code=status, headers={}), told

    made.meta.events.register_last("before-parameter-build.*.*", keep)
    made.meta.events.register_first("before-call.*.*", answer)
    return made

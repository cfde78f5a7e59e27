"""PURE: what the ledger and the doctor wrote down, said again in the reader's language.

Events, reasons and findings are written once, in English, for everybody who may read them, and some are compared. Here
are the sentences that they are made from. What no sentence fits (what AWS said, what a person or a course wrote, an
older version's words) is shown as it was written.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from functools import cached_property

from django.utils.translation import get_language, gettext, gettext_noop

# A value whose name begins with "why" is a sentence itself.
SENTENCES = (
    # Events of a lab.
    gettext_noop("The lab is ready"),
    gettext_noop("%(lab)s was started"),
    gettext_noop("Started for the class by %(who)s: its hours count from when the class begins"),
    gettext_noop("Extended by %(minutes)s minutes"),
    gettext_noop("Finishing"),
    gettext_noop("Finishing: %(why)s"),
    gettext_noop("%(who)s looked at this lab"),
    gettext_noop("Delete asked for %(thing)s"),
    gettext_noop("Delete asked for %(thing)s: %(why)s"),
    gettext_noop("Stop asked for %(thing)s"),
    gettext_noop("Stop asked for %(thing)s: %(why)s"),
    gettext_noop("Start asked for %(thing)s"),
    gettext_noop("Start asked for %(thing)s: %(why)s"),
    gettext_noop("Another try asked for %(thing)s"),
    gettext_noop("%(thing)s is being made"),
    gettext_noop("%(thing)s is running"),
    gettext_noop("%(thing)s is stopping"),
    gettext_noop("%(thing)s is stopped"),
    gettext_noop("%(thing)s is being deleted"),
    gettext_noop("%(thing)s has failed"),
    gettext_noop("%(thing)s is gone: %(why)s"),
    gettext_noop("%(thing)s has ended: %(why)s"),
    gettext_noop("%(thing)s was found in %(region)s: made in this lab"),
    gettext_noop("%(thing)s was found in %(region)s: no lab made it"),
    gettext_noop("%(thing)s was made by %(who)s, as CloudTrail says"),
    gettext_noop("The lab ended: %(why)s"),
    gettext_noop("%(step)s: passed. %(why)s"),
    gettext_noop("%(step)s: not yet. %(why)s"),
    gettext_noop("Temporary credentials were issued"),
    gettext_noop("A link to AWS's console was made"),
    gettext_noop("A token for the aws command was made; an earlier one does not work any more"),
    gettext_noop("The aws command fetches temporary credentials with this lab's token"),
    gettext_noop("Credentials of this lab were revoked"),
    gettext_noop("Before it is deleted: %(why)s"),
    gettext_noop("It is deleted all the same; credentials that are still out end by themselves within the hour"),
    gettext_noop("Copied to the locker: %(n)s file"),
    gettext_noop("Copied to the locker: %(n)s files"),
    gettext_noop("Copied to the locker: %(n)s file (%(size)s)"),
    gettext_noop("Copied to the locker: %(n)s files (%(size)s)"),
    gettext_noop("Copied to the locker: %(n)s files. Not copied: %(left)s"),
    gettext_noop("Copied to the locker: %(n)s file (%(size)s). Not copied: %(left)s"),
    gettext_noop("Copied to the locker: %(n)s files (%(size)s). Not copied: %(left)s"),
    gettext_noop("Absence is not proved yet: %(why)s"),
    gettext_noop("Still there after the lab: %(things)s"),
    gettext_noop("Everything of this lab is gone, proved by two methods"),
    # Who made it, as CloudTrail says.
    gettext_noop("the role %(name)s"),
    gettext_noop("a role"),
    gettext_noop("the account’s root user"),
    gettext_noop("the IAM user %(name)s"),
    gettext_noop("the service %(name)s"),
    gettext_noop("somebody whom CloudTrail does not name"),
    # How it was proved.
    gettext_noop("each resource seen absent twice"),
    gettext_noop("tagging API, by the lab's tag"),
    gettext_noop("lists of the lab's kinds, by tag and name"),
    gettext_noop("AWS's scheduler, for dead-man's switches of the lab"),
    # Why a resource was closed, or cannot be.
    gettext_noop("its time is up"),
    gettext_noop("its lab is over"),
    gettext_noop("seen absent"),
    gettext_noop("it was ended outside the portal"),
    gettext_noop("it was never made"),
    gettext_noop("it never appeared"),
    gettext_noop("it failed, and AWS says: %(error)s"),
    gettext_noop("it completed"),
    gettext_noop("it succeeded"),
    gettext_noop("it ended"),
    gettext_noop("it was stopped"),
    gettext_noop("its time was over"),
    gettext_noop("it was stopped before it was done"),
    gettext_noop("it failed: %(error)s"),
    gettext_noop("AWS stopped it: it had reached the longest time that it was given"),
    gettext_noop("its deletion is scheduled for %(day)s; until then it can be cancelled in the KMS console"),
    gettext_noop("the simulator was restarted, and it keeps nothing over a restart"),
    gettext_noop("the account was disconnected: nobody looks into it any more"),
    gettext_noop("nobody has looked for a while"),
    gettext_noop("AWS has been at this for more than 15 minutes"),
    gettext_noop("AWS could not make it: %(error)s"),
    gettext_noop(
        "AWS did not answer the create call and shows nothing with its tag. It may exist all the same: look in the "
        "account before you start the lab again"
    ),
    gettext_noop(
        "AWS takes the create call again and again and shows nothing of it: perhaps somebody deleted it as soon as it "
        "was made. Finish the lab and start it again"
    ),
    gettext_noop("it needs %(thing)s, which is gone"),
    gettext_noop("it needs %(thing)s, and %(why)s"),
    gettext_noop("AWS does not let the portal do this: %(error)s"),
    gettext_noop("AWS took the delete %(minutes)s minutes ago and still shows it: look at it in the console"),
    gettext_noop("something else still uses it, so that it still costs what it costs: %(error)s"),
    gettext_noop("it could not be deleted and still costs what it costs: %(error)s"),
    gettext_noop(
        "bought for %(time)s, until %(until)s: AWS ends it no sooner, and it costs by the hour, used or not, until "
        "then. Only AWS Support can let you out of it: write to them today"
    ),
    gettext_noop("CloudFormation could not delete the stack. %(error)s"),
    gettext_noop("There is no availability zone to use in %(region)s."),
    gettext_noop("There is no Amazon Linux image like %(pattern)s in %(region)s."),
    gettext_noop("A public key is needed: one line that begins with ssh-ed25519 or ssh-rsa."),
    gettext_noop("No image is known for %(what)s in %(region)s."),
    gettext_noop("%(region)s has no default VPC. Make one in the VPC console: Actions, Create default VPC."),
    # What helps.
    gettext_noop("%(why)s The portal goes on trying by itself."),
    gettext_noop(
        "The portal's role in this account lacks a permission. Whoever runs this server gives it that permission, or "
        "deletes the thing in AWS's console."
    ),
    gettext_noop(
        "Some things take AWS up to an hour. Look at it in AWS's console: what its page names there may have to go "
        "first."
    ),
    gettext_noop("Look for what AWS names above, in the same region of AWS's console, and delete that first."),
    gettext_noop(
        "Read what AWS said above. Whoever may use AWS's console of this account deletes it there; the portal sees "
        "that."
    ),
    # What AWS, or the way to it, does.
    gettext_noop("the portal has no AWS identity of its own: give it a role, Roles Anywhere or SSO (docs/accounts.md)"),
    gettext_noop("AWS did not answer (%(error)s)"),
    gettext_noop("the portal does not understand what AWS said (%(error)s)"),
    gettext_noop("this server has no practice mode"),
    gettext_noop("the simulator is just starting"),
    # Of connecting an account, and of letting go of it.
    gettext_noop("AWS says that we came to %(told)s, and not to account %(account)s."),
    gettext_noop(
        "The role %(role)s of account %(account)s lets in strangers: also without the right external id. Nobody is "
        "safe like that, so we do not use it. Delete the stack, and make it again from this page."
    ),
    gettext_noop(
        "AWS does not let us into account %(account)s. Is the stack there, in this account, and complete? A new one "
        "takes a minute. Was it made from this page's template, with this page's external id? %(error)s"
    ),
    gettext_noop("The schedule group %(group)s may still be there in %(where)s: delete it in AWS's console."),
    gettext_noop("The account allows none of the cohort's %(list)s (%(chosen)s), but %(allowed)s."),
    gettext_noop("The %(what)s has %(n)s characters; AWS takes %(most)s. Allow fewer types or regions."),
    # Of a student's start with the class.
    gettext_noop("This server was away at that hour: nothing was started."),
    gettext_noop("They have left the cohort."),
    gettext_noop("They have it on already."),
    gettext_noop("Their last one of this lab is still going off. They can start it again when it is gone."),
    gettext_noop("This lab is no longer in the catalogue."),
    # Of the locker.
    gettext_noop("its files are being copied to the locker"),
    gettext_noop("It was not copied within 5 minutes, and a lab that is over does not wait longer."),
    gettext_noop(
        "It was not copied within 5 minutes, and a lab that is over does not wait longer. The last try: %(error)s"
    ),
    gettext_noop("Its bucket was deleted before it could be copied."),
    gettext_noop("It was deleted before it could be copied."),
    gettext_noop("AWS did not give it: %(error)s"),
    gettext_noop("What is there could not be listed: %(why)s"),
    gettext_noop("It has %(size)s: a file in the locker may have %(most)s."),
    gettext_noop("It is too large: a file in the locker may have %(most)s."),
    gettext_noop("It has %(size)s, and your locker has %(left)s left of %(most)s. Delete there what you need no more."),
    gettext_noop(
        "%(n)s files from %(name)s on were not copied: of one lab %(most)s files are. Put many small files into one "
        "archive."
    ),
    # Of a check.
    gettext_noop("Not found in %(region)s yet. Did you work in this region? %(error)s"),
    gettext_noop("We could not look: %(why)s. Nothing is lost; check again in a minute."),
    gettext_noop("%(why)s In practice mode this step can show less than AWS does: its note says what to expect."),
    # Of the doctor.
    gettext_noop("We reach the account"),
    gettext_noop("The portal's role lets us in."),
    gettext_noop("start the simulator (make run does), or look at its log."),
    gettext_noop("give the portal an identity at AWS first (docs/accounts.md)."),
    gettext_noop(
        "is the stack still there? Make it again from the account's page. Does it have another external id than the "
        "page? Then disconnect the account and connect it again."
    ),
    gettext_noop("We do not reach the account"),
    gettext_noop("We do not reach the account. %(why)s"),
    gettext_noop("Who we are there is not known"),
    gettext_noop("AWS did not say."),
    gettext_noop("look again later."),
    gettext_noop("It is who it should be"),
    gettext_noop("AWS says that we are in another account than %(account)s"),
    gettext_noop("AWS says that we are in another account than %(account)s. %(arn)s"),
    gettext_noop("disconnect the account, and connect it again with its own number."),
    gettext_noop("Strangers cannot be tried"),
    gettext_noop("The simulator knows no external ids."),
    gettext_noop("Whether strangers are refused is not known"),
    gettext_noop("They were not tried."),
    gettext_noop("The portal's role lets in strangers: without the external id"),
    gettext_noop("The portal's role lets in strangers: with a wrong one"),
    gettext_noop("The portal's role lets in strangers: without the external id and with a wrong one"),
    gettext_noop("Somebody who talks this portal into it could work in the account. No lab starts in it."),
    gettext_noop("%(why)s. Somebody who talks this portal into it could work in the account. No lab starts in it."),
    gettext_noop("delete the stack and make it again from the account's page; its trust asks for the external id."),
    gettext_noop("AWS gave no clear answer: %(error)s"),
    gettext_noop("It refuses strangers"),
    gettext_noop("Without the external id, and with a wrong one: denied."),
    gettext_noop("Permissions cannot be tried"),
    gettext_noop("The simulator lets the portal do all."),
    gettext_noop("%(n)s permission is missing for %(labs)s"),
    gettext_noop("%(n)s permissions are missing for %(labs)s"),
    gettext_noop(
        "A lab that could be started there but not ended would stay on. Do not launch these until it is mended."
    ),
    gettext_noop("update the stack to template %(template)s: deploy the file of the account's page over it."),
    gettext_noop("%(n)s permission could not be tried"),
    gettext_noop("%(n)s permissions could not be tried"),
    gettext_noop("Permissions could not be tried"),
    gettext_noop(
        "AWS does not simulate policies for us there, and has no dry run for these calls. A rehearsal shows them."
    ),
    gettext_noop("allow iam:SimulatePrincipalPolicy to the portal's role (the template does), or rehearse each lab."),
    gettext_noop("No lab lacks a permission"),
    gettext_noop("%(n)s actions of %(labs)s labs, as AWS simulates the policies."),
    gettext_noop("%(n)s actions of %(labs)s labs, by EC2's dry runs."),
    gettext_noop("Quotas are enough"),
    gettext_noop("Practice mode has none."),
    gettext_noop("%(quota)s: the account has %(has)s, the class needs %(needs)s"),
    gettext_noop("%(lab)s for one person at once would be refused for some of them, in %(region)s."),
    gettext_noop("%(lab)s for %(n)s people at once would be refused for some of them, in %(region)s."),
    gettext_noop("ask AWS for %(needs)s under Service Quotas, %(quota)s; that takes one to three days."),
    gettext_noop(
        "ask AWS for %(needs)s under Service Quotas, %(quota)s; that takes one to three days. Until then launch in "
        "groups of %(group)s."
    ),
    gettext_noop("%(n)s quota could not be told"),
    gettext_noop("%(n)s quotas could not be told"),
    gettext_noop("AWS's Service Quotas did not name them for this account."),
    gettext_noop("look at them in the console, under Service Quotas."),
    gettext_noop("%(n)s quotas for one person at once."),
    gettext_noop("%(n)s quotas for %(people)s people at once."),
    gettext_noop("The clock could not be compared"),
    gettext_noop("AWS's answer had no date."),
    gettext_noop("Same clock as AWS"),
    gettext_noop("%(seconds)s apart; AWS refuses from 5 min on."),
    gettext_noop("This server's clock is %(seconds)s ahead of AWS's"),
    gettext_noop("This server's clock is %(seconds)s behind AWS's"),
    gettext_noop("AWS refuses requests that are dated 5 minutes wrong, and labs end at the wrong time."),
    gettext_noop("AWS refuses requests that are dated 5 minutes wrong: nothing works until it is set."),
    gettext_noop("let the server keep its time by NTP (timedatectl set-ntp true)."),
    gettext_noop("Which regions are open is not known"),
    gettext_noop("AWS did not list them."),
    gettext_noop("%(regions)s is not enabled in this account"),
    gettext_noop("Labs start there."),
    gettext_noop("enable the region in AWS's console, under Account, AWS Regions."),
    gettext_noop("%(n)s open region is not looked into"),
    gettext_noop("%(n)s open regions are not looked into"),
    gettext_noop(
        "Students' roles are held to the labs' regions; what the account's owner makes elsewhere is not seen here."
    ),
    gettext_noop("name those that matter in WATCHED_REGIONS, or close them in AWS's console."),
    gettext_noop("Every open region is looked into"),
    gettext_noop("The portal works with a long-lived access key"),
    gettext_noop("Found by boto3 as: %(method)s. Whoever copies it is the portal, for ever."),
    gettext_noop("give the portal a role, Roles Anywhere or SSO (docs/accounts.md), and delete the key."),
    gettext_noop("It keeps no long-lived key"),
    gettext_noop("The portal's own identity: %(method)s."),
    gettext_noop("The portal has no identity at AWS"),
    gettext_noop("boto3 found no credentials."),
    gettext_noop("give it a role, Roles Anywhere or SSO (docs/accounts.md)."),
    gettext_noop("The portal is not the role that the template names"),
    gettext_noop("It is %(arn)s; PORTAL_ROLE_ARN is %(role)s. Accounts let in that one only."),
    gettext_noop("set PORTAL_ROLE_ARN to the role that the portal really has, and deploy the template anew."),
    gettext_noop("The dead-man's switch can act"),
    gettext_noop("The simulator's scheduler asks for no role."),
    gettext_noop("The dead-man's switch could not be looked at"),
    gettext_noop("Its role was not told."),
    gettext_noop("Its role is there; schedules come with each lab."),
    gettext_noop("The dead-man's switch has no role"),
    gettext_noop("If this server goes silent, nothing turns labs off in this account."),
    gettext_noop("update the stack from the account's page: the template makes it."),
    gettext_noop("The census does not see everything"),
    gettext_noop("mend the permissions above; what the census could not list is not known to be off."),
    gettext_noop("No census looked into it yet"),
    gettext_noop("It comes each quarter of an hour."),
    gettext_noop("Nobody looked into it for %(minutes)s minutes"),
    gettext_noop("What is on there is not known."),
    gettext_noop("are worker and beat running? /ready/ tells."),
    gettext_noop("It is looked into"),
    gettext_noop("Each service in each watched region, every 15 minutes."),
    gettext_noop("Which template it has is not known"),
    gettext_noop("The portal's role carries no version."),
    gettext_noop("It has template %(has)s, and %(out)s is out"),
    gettext_noop("New labs may lack permissions there."),
    gettext_noop("deploy the file of the account's page over the stack; nothing that is on is touched."),
    gettext_noop("Its template is the newest"),
    gettext_noop("Version %(has)s."),
    gettext_noop("Whether AWS holds the limits of %(cohort)s is not known"),
    gettext_noop("AWS has older documents for the limits of %(cohort)s"),
    gettext_noop("AWS does not hold the limits of %(cohort)s"),
    gettext_noop("No lab of this cohort starts in the account while AWS would let people do more than these limits."),
    gettext_noop("deploy the stack %(stack)s: the cohort's page of limits has its file and the command."),
    gettext_noop(
        "update the stack to template %(template)s first. Then deploy the stack %(stack)s: the cohort's page of limits "
        "has its file and the command."
    ),
    gettext_noop("AWS holds each cohort to its limits"),
    gettext_noop("The AWS bill cannot be read"),
    gettext_noop("%(error)s What is metered is not compared with what AWS bills."),
    gettext_noop(
        "enable Cost Explorer in the account, or update the stack: its controller may ask ce:GetCostAndUsage. In an "
        "organisation the payer has to let members see their costs."
    ),
    gettext_noop("Its AWS bill is read"),
    gettext_noop("Cost Explorer answers; the Bill page compares."),
)
VALUE = re.compile(r"%\((\w+)\)[sd]|%%")
SENTENCE_ENDS = re.compile(r"(?<=\.) ")


class Sentences:
    """What words that are stored were made from, to say them again in the language that is active.

    patterns: called once, for sentences with %(name)s in them where a value stood. beyond: what is asked where none of
    them fits.
    """

    def __init__(self, patterns: Callable[[], Iterable[str]], beyond: Callable[[str], str] | None = None) -> None:
        self.patterns, self.beyond = patterns, beyond

    def retold(self, stored: str) -> str:
        """As far as it is known; in English what was stored. Several sentences that stand together are told one by
        one."""
        # The empty message is the catalog's own head.
        if not stored or (get_language() or "en").startswith("en"):
            return stored
        whole = self._known(stored)
        if whole is not None:
            return whole
        sentences = SENTENCE_ENDS.split(stored)
        return " ".join(self._known(one) or one for one in sentences) if len(sentences) > 1 else stored

    def sentence_of(self, stored: str) -> tuple[str, dict[str, str]]:
        """(the pattern that it is made from, the values in it); ('', {}) where none fits."""
        for pattern, shape in self._shapes:
            if found := shape.fullmatch(stored):
                return pattern, found.groupdict()
        return "", {}

    def _known(self, stored: str) -> str | None:
        """Of one message; None where it is none."""
        said = gettext(stored)
        if said != stored:
            return said
        pattern, values = self.sentence_of(stored)
        if pattern:
            told = {name: self.retold(value) if name.startswith("why") else value for name, value in values.items()}
            return gettext(pattern) % told
        if self.beyond is not None and (said := self.beyond(stored)) != stored:
            return said
        return None

    @cached_property
    def _shapes(self) -> list[tuple[str, re.Pattern[str]]]:
        """Of two that fit, the one with more words of its own says more."""
        ordered = sorted(self.patterns(), key=lambda one: len(VALUE.sub("", one)), reverse=True)
        return [(one, _shape(one)) for one in ordered]


def _shape(pattern: str) -> re.Pattern[str]:
    parts, at = [], 0
    for value in VALUE.finditer(pattern):
        parts.append(re.escape(pattern[at : value.start()]))
        parts.append(f"(?P<{value[1]}>.+?)" if value[1] else "%")
        at = value.end()
    return re.compile("".join([*parts, re.escape(pattern[at:])]), re.DOTALL)


OF_LABS = Sentences(lambda: SENTENCES)


def retold(stored: str) -> str:
    """What labs wrote, in the language that is active."""
    return OF_LABS.retold(stored)

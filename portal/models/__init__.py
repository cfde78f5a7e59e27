"""The school's tables: people, the course as content, one cohort's run of it, and the work handed in."""

from portal.models.classroom import ClassSeat, ClassStart
from portal.models.course import Assignment, Cohort, CohortWeek, Course, LabInWeek, Material, Membership, Week
from portal.models.coursework import (
    Draft,
    DraftAside,
    DraftFile,
    Feedback,
    Release,
    Submission,
    SubmissionFile,
)
from portal.models.dates import DateMove, Extension, Holiday, LiveSession, MovedDate
from portal.models.discussion import Announcement, Post, Thread, ThreadSeen
from portal.models.guard import Inspection, Look
from portal.models.handing_in import ProofKey, Seal, Upload
from portal.models.invitations import Invitation, InviteLink
from portal.models.leaving import Leaving
from portal.models.notices import Notice, NoticeChannel, NoticeHad, NoticeWishes
from portal.models.people import RulesAccepted, User
from portal.models.reading import MaterialEdition, MaterialSeen, OfCohort
from portal.models.reviews import (
    AgendaItem,
    Completion,
    FeedbackAside,
    FeedbackBefore,
    Phrase,
    PlannedRelease,
    Remark,
    Reply,
)

__all__ = [
    "AgendaItem",
    "Announcement",
    "Assignment",
    "ClassSeat",
    "ClassStart",
    "Cohort",
    "CohortWeek",
    "Completion",
    "Course",
    "DateMove",
    "Draft",
    "DraftAside",
    "DraftFile",
    "Extension",
    "Feedback",
    "FeedbackAside",
    "FeedbackBefore",
    "Holiday",
    "Inspection",
    "Invitation",
    "InviteLink",
    "LabInWeek",
    "Leaving",
    "LiveSession",
    "Look",
    "Material",
    "MaterialEdition",
    "MaterialSeen",
    "Membership",
    "MovedDate",
    "Notice",
    "NoticeChannel",
    "NoticeHad",
    "NoticeWishes",
    "OfCohort",
    "Phrase",
    "PlannedRelease",
    "Post",
    "ProofKey",
    "Release",
    "Remark",
    "Reply",
    "RulesAccepted",
    "Seal",
    "Submission",
    "SubmissionFile",
    "Thread",
    "ThreadSeen",
    "Upload",
    "User",
    "Week",
]

"""The school's tables: people, the course as content, one cohort's run of it, and the work handed in."""

from portal.models.classroom import ClassSeat, ClassStart
from portal.models.course import Assignment, Cohort, CohortWeek, Course, LabInWeek, Material, Membership, Week
from portal.models.coursework import (
    Draft,
    DraftAside,
    DraftFile,
    Feedback,
    ReceiptBook,
    Release,
    Submission,
    SubmissionFile,
)
from portal.models.notices import Notice, NoticeChannel, NoticeHad, NoticeWishes
from portal.models.people import RulesAccepted, User
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
    "Assignment",
    "ClassSeat",
    "ClassStart",
    "Cohort",
    "CohortWeek",
    "Completion",
    "Course",
    "Draft",
    "DraftAside",
    "DraftFile",
    "Feedback",
    "FeedbackAside",
    "FeedbackBefore",
    "LabInWeek",
    "Material",
    "Membership",
    "Notice",
    "NoticeChannel",
    "NoticeHad",
    "NoticeWishes",
    "Phrase",
    "PlannedRelease",
    "ReceiptBook",
    "Release",
    "Remark",
    "Reply",
    "RulesAccepted",
    "Submission",
    "SubmissionFile",
    "User",
    "Week",
]

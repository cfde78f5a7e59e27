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
from portal.models.leaving import Leaving
from portal.models.notices import Notice, NoticeChannel, NoticeHad, NoticeWishes
from portal.models.people import RulesAccepted, User

__all__ = [
    "Assignment",
    "ClassSeat",
    "ClassStart",
    "Cohort",
    "CohortWeek",
    "Course",
    "Draft",
    "DraftAside",
    "DraftFile",
    "Feedback",
    "LabInWeek",
    "Leaving",
    "Material",
    "Membership",
    "Notice",
    "NoticeChannel",
    "NoticeHad",
    "NoticeWishes",
    "ReceiptBook",
    "Release",
    "RulesAccepted",
    "Submission",
    "SubmissionFile",
    "User",
    "Week",
]

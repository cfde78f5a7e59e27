"""What one person has read and accepted; and the versions of a material that came before the present one."""

from django.db import models
from django.utils.translation import gettext, gettext_lazy

from portal.models.course import Cohort, Material
from portal.models.people import User


class MaterialEdition(models.Model):
    """A former version of a material, kept when another took its place (portal.laying)."""

    material = models.ForeignKey(Material, on_delete=models.CASCADE, related_name="editions")
    number = models.PositiveSmallIntegerField()  # 1 is the first
    title = models.CharField(max_length=200)
    body_md = models.TextField(blank=True)
    file = models.CharField(max_length=300, blank=True)
    file_bytes = models.PositiveBigIntegerField(default=0)
    url = models.URLField(blank=True, max_length=500)
    replaced_at = models.DateTimeField()

    class Meta:
        ordering = ["-number"]
        constraints = [models.UniqueConstraint(fields=["material", "number"], name="one_edition_a_number")]

    def __str__(self):
        return gettext("%(title)s, version %(version)s") % {"title": self.title, "version": self.number}

    @property
    def file_name(self):
        return self.file.rpartition("/")[2]


class MaterialSeen(models.Model):
    """That a person opened a material, and which version of it: another one is new to them again."""

    material = models.ForeignKey(Material, on_delete=models.CASCADE, related_name="seen")
    reader = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+")
    version = models.CharField(max_length=64, blank=True)
    at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["material", "reader"], name="one_look_a_material")]


class OfCohort(models.Model):
    """What one person has read and accepted of one cohort."""

    cohort = models.ForeignKey(Cohort, on_delete=models.CASCADE, related_name="+")
    reader = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+")
    announcements_upto = models.PositiveBigIntegerField(gettext_lazy("the last announcement read"), default=0)
    # What the course needs of them, accepted: when, and the SHA-256 of the text that they had before them.
    ready_at = models.DateTimeField(null=True, blank=True)
    ready_sha256 = models.CharField(max_length=64, blank=True, default="")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["cohort", "reader"], name="one_row_a_reader_of_a_cohort")]

"""What a cohort says to each other: threads by week and step, posts in them, and announcements of who teaches."""

from django.db import models
from django.db.models import Count, F, OuterRef, Q, Subquery
from django.db.models.functions import Coalesce
from django.urls import reverse
from django.utils.translation import gettext_lazy

from portal.models.course import Cohort, Week, WeekParts
from portal.models.people import User


class Threads(WeekParts):
    """Of one cohort always: ask `portal.access.Standing.threads`, which leaves out what is not released."""

    def with_counts(self, reader):
        """Each with `replies` and with `unread`, the posts of others that `reader` has not seen. No further query."""
        seen = ThreadSeen.objects.filter(thread=OuterRef("pk"), reader=reader).values("upto")[:1]
        of_others = Q(posts__removed_at=None) & ~Q(posts__author=reader)
        counted = self.annotate(seen_upto=Coalesce(Subquery(seen), 0)).annotate(
            replies=Count("posts", filter=Q(posts__removed_at=None)) - 1,
            unread=Count("posts", filter=of_others & Q(posts__pk__gt=F("seen_upto"))),
        )
        # Django leaves Meta.ordering out where it groups.
        return counted.order_by("-last_at", "-pk")

    def unread_by_week(self, reader):
        """{week's pk: posts of others that `reader` has not seen}, without weeks that have none. One query."""
        seen = ThreadSeen.objects.filter(thread=OuterRef("thread"), reader=reader).values("upto")[:1]
        posts = Post.objects.filter(thread__in=self, removed_at=None).exclude(author=reader)
        unread = posts.filter(pk__gt=Coalesce(Subquery(seen), 0)).order_by()
        return dict(unread.values_list("thread__week").annotate(Count("pk")))


class Thread(models.Model):
    """A question to the cohort. Its first post is the question itself."""

    cohort = models.ForeignKey(Cohort, on_delete=models.CASCADE, related_name="threads")
    week = models.ForeignKey(Week, on_delete=models.PROTECT, related_name="threads")
    # A lab of labs/catalog and one of its steps; "" where the question is about the week as a whole.
    lab_slug = models.SlugField(blank=True, default="")
    step = models.SlugField(blank=True, default="")
    title = models.CharField(max_length=140)
    author = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    asked_at = models.DateTimeField()
    last_at = models.DateTimeField()
    answer = models.ForeignKey("Post", null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    answered_at = models.DateTimeField(null=True, blank=True)
    parked_at = models.DateTimeField(gettext_lazy("on Saturday's list since"), null=True, blank=True)
    removed_at = models.DateTimeField(null=True, blank=True)

    objects = Threads.as_manager()

    class Meta:
        ordering = ["-last_at", "-pk"]
        indexes = [models.Index(fields=["cohort", "week", "-last_at"], name="portal_threads_of_a_week")]

    def __str__(self):
        return self.title

    def get_absolute_url(self):
        return reverse("portal:thread", args=[self.pk])


class Post(models.Model):
    thread = models.ForeignKey(Thread, on_delete=models.CASCADE, related_name="posts")
    author = models.ForeignKey(User, on_delete=models.PROTECT, related_name="posts")
    at = models.DateTimeField()
    body_md = models.TextField()
    # Of the form: sent twice it is one post.
    key = models.CharField(max_length=32)
    removed_at = models.DateTimeField(null=True, blank=True)
    removed_by = models.ForeignKey(User, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")

    class Meta:
        ordering = ["pk"]
        constraints = [models.UniqueConstraint(fields=["author", "key"], name="one_post_a_form")]
        indexes = [models.Index(fields=["author", "-at"], name="portal_posts_of_late")]

    def __str__(self):
        return f"{self.author} in {self.thread}"


class ThreadSeen(models.Model):
    """How far a person has read a thread, and whether they are told of new replies."""

    thread = models.ForeignKey(Thread, on_delete=models.CASCADE, related_name="seen")
    reader = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+")
    upto = models.PositiveBigIntegerField(gettext_lazy("the last post seen"), default=0)
    follows = models.BooleanField(default=False)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["thread", "reader"], name="one_mark_a_reader")]


class Announcement(models.Model):
    """Word from who teaches to the whole cohort. It stands on Today until it is read."""

    cohort = models.ForeignKey(Cohort, on_delete=models.CASCADE, related_name="announcements")
    author = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    at = models.DateTimeField()
    title = models.CharField(max_length=140)
    body_md = models.TextField()
    key = models.CharField(max_length=32)
    # A move of dates announces itself, by its own mail.
    move = models.OneToOneField("DateMove", null=True, blank=True, on_delete=models.CASCADE, related_name="+")

    class Meta:
        ordering = ["-at", "-pk"]
        constraints = [models.UniqueConstraint(fields=["cohort", "key"], name="one_announcement_a_form")]

    def __str__(self):
        return self.title

"""Real AWS accounts: connecting one's own or the bootcamp's shared one, its template, and letting go of it."""

from functools import wraps

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from labs import aws, connecting, stack_template
from labs.models import Account, Launch
from labs.retelling import retold
from portal import access, backup, overseeing, rules_of_use
from portal.access import member_page
from portal.placing import region_of
from portal.views.chrome import back

FILE = "lightsout.yaml"


def connectable_page(view):
    """The view gets the account; for whoever may not connect it, it does not exist."""

    @login_required
    @wraps(view)
    def guarded(request, pk):
        account = access.connectable(request.user).filter(pk=pk).first()
        if account is None:
            raise Http404(_("No such account."))
        return view(request, account)

    return guarded


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@member_page
def mine(request, standing):
    """My AWS account: what connecting it means, how, and what is known of it. A POST begins."""
    account = connecting.own_account(request.user)
    if request.method == "POST":
        cohort = standing.cohort
        connecting.begin(
            mode=Account.OWN,
            owner=request.user,
            name=f"{request.user}'s own",
            scope=cohort.scope,
            regions=settings.WATCHED_REGIONS,
            lab_regions=cohort.lab_regions or settings.LAB_REGIONS,
            now=timezone.now(),
        )
        return redirect("portal:my_account")
    return render(
        request,
        "portal/my_account.html",
        {
            "account": account,
            "region": region_of(standing.cohort),
            "can_connect": bool(settings.PORTAL_ROLE_ARN),
            "rules_accepted_at": rules_of_use.accepted_at(request.user),
            **(facts_of(account) if account else {}),
        },
    )


def facts_of(account):
    """What the pages about connecting say of one account."""
    region = (account.lab_regions or settings.LAB_REGIONS)[0]
    student = str(account.owner_id or "")
    on_its_way = not account.aws_id
    return {
        "template": template_text(account) if on_its_way and settings.PORTAL_ROLE_ARN else "",
        "link": stack_template.quick_create_link(settings.TEMPLATE_URL, region, account.external_id, student)
        if settings.TEMPLATE_URL
        else "",
        "command": stack_template.deploy_command(FILE, region, account.external_id, student),
        "delete_command": stack_template.delete_command(region),
        "template_version": stack_template.VERSION,
        "findings": overseeing.findings_of(account),
        "labs_on": Launch.objects.open().filter(account=account).count() if account.is_connected else 0,
        # The stack has to stay until they are gone: its role takes them away, and its boundary is on them.
        "roles": list(account.student_roles.select_related("student")) if account.mode == Account.SHARED else [],
        "limited": overseeing.limited_in(account),
        "delete_limits": [
            stack_template.delete_command(region, stack_template.cohort_stack(scope)) for scope in account.limits_held
        ],
    }


def template_text(account):
    """The template for this account, as it is shown and downloaded."""
    return stack_template.as_text(stack_template.template(settings.PORTAL_ROLE_ARN, account.limits()))


@require_safe
@connectable_page
def template(request, account):
    """The template to download."""
    if not settings.PORTAL_ROLE_ARN:
        raise Http404(_("This server has no identity at AWS yet."))
    answer = HttpResponse(template_text(account), content_type="application/yaml; charset=utf-8")
    answer["Content-Disposition"] = f'attachment; filename="{FILE}"'
    return answer


@require_POST
@connectable_page
def check(request, account):
    """Ask AWS whether the account is what it is said to be, and connect it."""
    try:
        bound = connecting.connect(account, request.POST.get("aws_id", ""), now=timezone.now(), by=request.user)
    except (connecting.CannotConnect, aws.Trouble) as why:
        messages.error(request, _("Not connected. %(why)s") % {"why": retold(str(why))})
        return redirect(home_of(account))
    words = _("Connected: account %(account)s lets us in, and refuses strangers.")
    messages.success(request, words % {"account": bound.aws_id})
    return redirect(home_of(bound))


@require_http_methods(["GET", "HEAD", "POST"])
@connectable_page
def disconnect(request, account):
    """Asks once, then lets go of the account. One that never was connected is forgotten at once."""
    if request.method != "POST":
        return render(
            request, "portal/disconnect.html", {"account": account, "home": home_of(account), **facts_of(account)}
        )
    if not account.aws_id:
        account.delete()
        messages.info(request, _("Forgotten. Nothing was connected."))
        return redirect("portal:my_account" if account.owner_id else "portal:accounts")
    try:
        left = connecting.disconnect(account, now=timezone.now(), by=request.user)
    except connecting.CannotDisconnect as why:
        messages.error(request, str(why))
        return redirect(home_of(account))
    said = _("Disconnected. No lab starts in %(account)s any more.") % {"account": account.aws_id}
    messages.success(request, f"{said} {retold(left)}".strip())
    return redirect(home_of(account))


def home_of(account):
    """The address of the page on which this account is connected."""
    return reverse("portal:my_account") if account.owner_id else reverse("portal:account", args=[account.pk])


@require_safe
@login_required
def accounts(request):
    """What is connected, what the doctor found, and what is too small for the class. For who answers for a cohort."""
    if not access.scopes_visible_to(request.user):
        raise Http404(_("No account to look after here."))
    now, is_admin = timezone.now(), request.user.is_staff
    facts = {
        "page": overseeing.accounts_page(request.user, now),
        "may_connect": is_admin,
        "no_backup": backup.overdue(now) if is_admin else "",
    }
    return render(request, "portal/accounts.html", facts)


@require_POST
@login_required
def run_doctor(request):
    """Let the doctor look into the accounts that this person answers for; a worker does it."""
    asked = overseeing.ask_for_visit(access.accounts_visible_to(request.user), timezone.now())
    if asked:
        messages.success(
            request, _("The doctor looks now. It takes half a minute for each account; load this page again.")
        )
    else:
        messages.info(request, _("No real account is connected: there is nothing to look at."))
    return redirect("portal:accounts")


@require_safe
@never_cache
@login_required
def one(request, pk):
    """One real account: what is known of it; of the shared one also how it is connected, for admins."""
    may_connect = access.connectable(request.user).filter(pk=pk).first()
    account = may_connect or access.accounts_visible_to(request.user).filter(pk=pk).first()
    if account is None:
        raise Http404(_("No such account."))
    if may_connect and account.owner_id:
        return redirect("portal:my_account")
    facts = {
        "account": account,
        "may_connect": bool(may_connect),
        "can_connect": bool(settings.PORTAL_ROLE_ARN),
        **facts_of(account),
    }
    return render(request, "portal/account.html", facts)


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def connect_shared(request):
    """An admin begins to connect the bootcamp's account, for one cohort or for all."""
    if not request.user.is_staff:
        raise Http404(_("No such page."))
    cohorts = [standing.cohort for standing in access.standings(request.user).values()]
    if request.method == "POST":
        cohort = next((one for one in cohorts if one.slug == request.POST.get("cohort")), None)
        account = connecting.begin(
            mode=Account.SHARED,
            name=request.POST.get("name", "").strip() or "Shared",
            scope=cohort.scope if cohort else "",
            regions=settings.WATCHED_REGIONS,
            lab_regions=(cohort and cohort.lab_regions) or settings.LAB_REGIONS,
            now=timezone.now(),
        )
        return redirect("portal:account", account.pk)
    facts = {"cohorts": cohorts, "can_connect": bool(settings.PORTAL_ROLE_ARN)}
    return render(request, "portal/connect_shared.html", facts)


@require_http_methods(["GET", "HEAD", "POST"])
@member_page
def rules(request, standing):
    """The rules of use of real accounts, to read and to accept."""
    if request.method == "POST":
        rules_of_use.accept(request.user, timezone.now())
        messages.success(request, _("Accepted. You can start labs in a real AWS account now."))
        return back(request)
    return render(
        request,
        "portal/rules_of_use.html",
        {
            "standing": standing,
            "region": region_of(standing.cohort),
            "accepted_at": rules_of_use.accepted_at(request.user),
            "next": request.GET.get("next", ""),
        },
    )

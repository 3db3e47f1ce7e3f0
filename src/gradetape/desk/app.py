"""The routes of the desk. Reading makes a page of the gradebook; a form changes the gradebook, and leads to a page."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from types import MappingProxyType

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route

from gradetape.desk import actions, note_actions, pages, written
from gradetape.desk.forms import Form, form_of
from gradetape.desk.guard import COOKIE, Guard
from gradetape.desk.keys import DeskKeys
from gradetape.desk.pages import Desk, NoPage
from gradetape.desk.places import Places, are_hidden
from gradetape.desk.trials import Trials
from gradetape.errors import GradetapeError
from gradetape.grading.results import Results
from gradetape.records import Grade, Unreadable
from gradetape.report import AssignmentPages, notice_page, trial_page

_Action = Callable[[Desk, Results, str, Form], str]
_ACTIONS: Mapping[str, _Action] = MappingProxyType(
    {
        "override": actions.override,
        "override-alike": actions.override_alike,
        "undo": actions.undo,
        "mark": written.mark,
        "undo-mark": written.undo,
        "publish": note_actions.publish,
        "comment": note_actions.comment,
        "answer": note_actions.answer,
        "done": note_actions.mark,
        "remove-comment": note_actions.remove_comment,
    }
)
_USED = (
    "This form was sent before, or its page is older than the desk. Nothing was changed. Go back, load the page again, "
    "and look whether the change is there."
)

_MARKED = "No answer to this question waits to be marked."


def application(desk: Desk, keys: DeskKeys, hosts: Collection[str], trials: Trials) -> Guard:
    """The desk as an ASGI application; `hosts` are the names and the port under which it is reached."""
    views, places, forms = _Views(desk, keys), Places(desk), _Forms(desk, keys, trials)
    answers = _Answers(desk, keys)
    routes = [
        Route("/", views.start),
        Route("/index.html", views.overview),
        Route("/favicon.ico", _no_icon),
        Route("/grades.csv", views.table),
        Route("/names/{shown}", places.names),
        Route("/published/{assignment}", places.published),
        Route("/staff/{assignment}/index.html", views.dashboard),
        Route("/staff/{assignment}/grades.csv", views.table),
        Route("/staff/{assignment}/questions/{page}", views.question),
        Route("/staff/{assignment}/similar/{page}", places.similar),
        Route("/staff/{assignment}/{page}", views.for_staff),
        Route("/students/{assignment}/{page}", views.for_student),
        Route("/written/{assignment}/{question}", answers.first),
        Route("/written/{assignment}/{question}/{page}", answers.page),
        Route("/written/{assignment}/{question}/{page}/{number}.png", answers.picture),
        Route("/trial/{number}", forms.trial),
        Route("/act/{assignment}/try", forms.begin_trial, methods=["POST"]),
        Route("/act/{assignment}/{action}", forms.act, methods=["POST"]),
    ]
    return Guard(Starlette(routes=routes, exception_handlers={NoPage: _no_page, GradetapeError: _problem}), keys, hosts)


class _Views:
    """What answers a request; each opens the gradebook anew, in a thread."""

    def __init__(self, desk: Desk, keys: DeskKeys) -> None:
        self._desk = desk
        self._keys = keys

    def start(self, request: Request) -> Response:
        """Opens the session for the token of the first address; without one it leads to the first page."""
        if "token" not in request.query_params:
            with self._desk.open() as results:
                return RedirectResponse(pages.start_of(results), 303)
        session = self._keys.enter(request.query_params["token"])
        if session is None:
            return PlainTextResponse("This address works once, and was used. Start gradetape desk again.\n", 403)
        # A redirect would still count as coming from wherever the address stood, and the cookie would not be sent.
        response = HTMLResponse(
            '<!DOCTYPE html><title>gradetape desk</title><meta http-equiv="refresh" content="0; url=/">'
        )
        response.set_cookie(COOKIE, session, httponly=True, samesite="strict", path="/")
        return response

    def overview(self, _: Request) -> Response:
        """The list of the assignments."""
        with self._desk.open() as results:
            return HTMLResponse(pages.overview(results))

    def table(self, request: Request) -> Response:
        """The grades as CSV, of all assignments or of one."""
        with self._desk.open() as results:
            text = pages.table_of_all(
                self._desk, results, request.path_params.get("assignment"), hidden=are_hidden(request)
            )
        return Response(
            text, media_type="text/csv", headers={"Content-Disposition": 'attachment; filename="grades.csv"'}
        )

    def dashboard(self, request: Request) -> Response:
        """An assignment's dashboard."""
        with self._desk.open() as results:
            return HTMLResponse(self._pages(results, request).dashboard())

    def for_staff(self, request: Request) -> Response:
        """A submission, with forms."""
        with self._desk.open() as results:
            found = self._pages(results, request)
            return HTMLResponse(found.for_staff(self._record(results, request, found)))

    def for_student(self, request: Request) -> Response:
        """What a student sees."""
        with self._desk.open() as results:
            found = self._pages(results, request)
            return HTMLResponse(found.for_student(self._record(results, request, found)))

    def question(self, request: Request) -> Response:
        """A question over all students, with forms."""
        with self._desk.open() as results:
            found = self._pages(results, request)
            return HTMLResponse(found.of_question(pages.question_at(found, request.path_params["page"])))

    def _pages(self, results: Results, request: Request) -> AssignmentPages:
        return pages.pages_at(
            self._desk, results, request.path_params["assignment"], self._keys.for_form(), hidden=are_hidden(request)
        )

    def _record(self, results: Results, request: Request, found: AssignmentPages) -> Grade | Unreadable:
        """The record of a student's page, under the name that the pages have."""
        page, address = request.path_params["page"], request.path_params["assignment"]
        if page not in found.records:
            page = pages.page_with(self._desk, results, address, page, hidden=are_hidden(request))
        return pages.record_at(found, page)


class _Answers:
    """What answers a request about written answers."""

    def __init__(self, desk: Desk, keys: DeskKeys) -> None:
        self._desk = desk
        self._keys = keys

    def first(self, request: Request) -> Response:
        """Leads to the first answer to a question that waits."""
        with self._desk.open() as results:
            address = written.first(
                results, *self._place(request, "assignment", "question"), hidden=are_hidden(request)
            )
        return RedirectResponse(address, 303) if address else HTMLResponse(notice_page("All marked", _MARKED))

    def page(self, request: Request) -> Response:
        """An answer with its rubric."""
        with self._desk.open() as results:
            assignment, question, page = self._place(request, "assignment", "question", "page")
            token, hidden = self._keys.for_form(), are_hidden(request)
            return HTMLResponse(written.page(results, assignment, question, page, token, hidden=hidden))

    def picture(self, request: Request) -> Response:
        """A picture of an answer."""
        with self._desk.open() as results:
            place = self._place(request, "assignment", "question", "page", "number")
            return Response(written.picture(results, *place), media_type="image/png")

    def _place(self, request: Request, *names: str) -> tuple[str, ...]:
        return tuple(request.path_params[name] for name in names)


class _Forms:
    """What answers a form, and shows what it has begun."""

    def __init__(self, desk: Desk, keys: DeskKeys, trials: Trials) -> None:
        self._desk = desk
        self._keys = keys
        self._trials = trials

    async def act(self, request: Request) -> Response:
        """Does what a form asks for, once."""
        action = _ACTIONS.get(request.path_params["action"])
        if action is None:
            raise NoPage(request.path_params["action"])
        return await self._answered(request, action)

    async def begin_trial(self, request: Request) -> Response:
        """Starts a trial, which records nothing, and leads to its page."""

        def begun(desk: Desk, results: Results, address: str, form: Form) -> str:
            return f"/trial/{self._trials.begin(actions.trial(desk, results, address, form))}"

        return await self._answered(request, begun)

    def trial(self, request: Request) -> Response:
        """What is known of a trial."""
        found = self._trials.get(request.path_params["number"])
        if found is None:
            raise NoPage(request.path_params["number"])
        shown = found.without_names() if are_hidden(request) else found
        return HTMLResponse(trial_page(
            shown.title, tuple(shown.tried), of=shown.of, running=shown.running, back=shown.place, folder=shown.folder,
            problem=shown.problem,
        ))  # fmt: skip

    async def _answered(self, request: Request, action: _Action) -> Response:
        """Does what a form asks for, if its token is not used up, and leads to where the action says."""
        form = await form_of(request)
        if not self._keys.redeem(form.token):
            return HTMLResponse(notice_page("Sent before", _USED), 409)
        where = await run_in_threadpool(self._done, action, request.path_params["assignment"], form)
        return RedirectResponse(where, 303)

    def _done(self, action: _Action, address: str, form: Form) -> str:
        with self._desk.open() as results:
            return action(self._desk, results, address, form)


def _no_icon(_: Request) -> Response:
    return Response(status_code=204)


def _no_page(_: Request, __: Exception) -> Response:
    return HTMLResponse(notice_page("No such page", "The gradebook holds nothing under this address."), 404)


def _problem(_: Request, error: Exception) -> Response:
    return HTMLResponse(notice_page("Nothing was changed", str(error)), 400)

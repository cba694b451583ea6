"""The page itself: what is asked, handed to the commands, and what they made, shown."""

from __future__ import annotations

import re
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

from jinja2 import Environment, PackageLoader, StrictUndefined
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import UploadFile
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import FileResponse, HTMLResponse, RedirectResponse, Response, StreamingResponse
from starlette.routing import Route

from aggregator.inputs.sources.files import SUFFIXES
from aggregator.model.period import Period
from aggregator.outputs.report.page import FILES
from aggregator.schemas.modes import MODES, mode_of
from aggregator.schemas.patterns import CHINA
from aggregator.schemas.shown import shown
from aggregator.schemas.text import Lang, Text
from aggregator.web.guard import REPORTS, STYLE, Guard, Keys, Refused, TooMuch, same
from aggregator.web.runs import Run, base, find_run, findings, runs, zipped
from aggregator.web.uploads import MOST_FILES, OddFile, lay_down
from aggregator.web.works import Asked, Busy, Step, Work, Works

_PERIOD = re.compile(r"20[0-9]{2}-(0[1-9]|1[0-2])")
_SHOWN = 30
_PAGES_OF_OURS = ("/run/", "/work/")
_PAGES = Environment(loader=PackageLoader("aggregator.web"), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
_PAGES.filters["shown"] = lambda value: shown(str(value))
_REFUSALS = {
    400: Text("The form did not arrive whole, or it has too many files (200 at most). Send it again.", "表单不完整，或文件过多（至多 200 个）。请重新提交。"),
    401: Text("Open the address that the terminal shows: it has the key.", "请打开终端中显示的完整地址，其中含有访问密钥。"),
    403: Text("This was not sent from this page. Nothing was done.", "请求并非来自本页面，未执行任何操作。"),
    404: Text("There is no such page or file.", "页面或文件不存在。"),
    409: Text("Another check or run is under way. Wait until it has ended, then try again.", "另一项校验或申报正在进行，请待其结束后再试。"),
    413: Text("That is more than is taken at once. Send fewer or smaller files.", "文件过大，超出上传限制。请减少文件。"),
    421: Text("This address is not one of this page.", "地址有误。"),
    507: Text("The files could not be kept: the disk is full or may not be written to. Nothing was done.", "文件无法保存：磁盘已满或无写入权限。未执行任何操作。"),
    422: Text("Choose at least one export (CSV, workbook, XML, Parquet; also in .zip or .gz) and a month.", "请选择至少一个导出文件（CSV、工作簿、XML、Parquet，也可为 .zip 或 .gz）和申报期。"),
}  # fmt: skip

_FAILED = {
    65: Text("A file cannot be used", "文件无法使用"),
    66: Text("A file is not there any more", "文件已不存在"),
    73: Text("A file could not be read or written", "无法读取或写入文件"),
    74: Text("A file could not be read or written", "无法读取或写入文件"),
    75: Text("Another run is under way: try again when it has ended", "另一批次正在运行，请待其结束后重试"),
    78: Text("The settings or the ledger are not in order", "配置或台账有误"),
    130: Text("It was interrupted", "已中断"),
}
_ODD = Text("It did not end as it should", "未能正常完成")
"""What a command that stopped says by its exit code."""


def lang_of(headers: dict[str, str], cookies: dict[str, str]) -> Lang:
    chosen = cookies.get("aggregator_lang", "")
    wanted = chosen if chosen in ("en", "zh") else headers.get("accept-language", "")
    return "zh" if wanted.lower().startswith("zh") else "en"


class Pages:
    def __init__(self, works: Works, keys: Keys, port: int, mode: str) -> None:
        self.works, self.keys, self.port, self.mode = works, keys, port, mode

    def page(self, request: Request, name: str, status: int = 200, **facts: Any) -> HTMLResponse:
        lang = lang_of(dict(request.headers), request.cookies)

        def say(en: str, zh: str) -> str:
            return zh if lang == "zh" else en

        facts = {"form_key": self.keys.form, "refresh": "", "modes": MODES, "mode": self.mode, "kinds": ",".join(SUFFIXES), **facts}
        return HTMLResponse(_PAGES.get_template(name).render(lang=lang, say=say, **facts), status)

    def refusal(self, request: Request, status: int) -> HTMLResponse:
        lang = lang_of(dict(request.headers), request.cookies)
        return self.page(request, "refused.html.j2", status, text=_REFUSALS[status].in_lang(lang))

    def refusals(self) -> dict[Any, Any]:
        """What is answered to what went wrong while a request was read. The first that fits is taken."""

        async def by_status(request: Request, error: Exception) -> Response:
            status = error.status_code if isinstance(error, HTTPException) else 400
            answer = self.refusal(request, {405: 404}.get(status, status if status in _REFUSALS else 400))
            answer.status_code = status
            return answer

        async def too_much(request: Request, _: Exception) -> Response:
            return self.refusal(request, 413)

        return {HTTPException: by_status, ClientDisconnect: by_status, TooMuch: too_much}

    async def home(self, request: Request) -> Response:
        if self.keys.opens(request.query_params):
            # Not a redirect: a cookie of this kind is not sent on one that began elsewhere.
            answer = self.page(request, "welcome.html.j2", refresh="0;url=/")
            answer.set_cookie(self.keys.cookie(self.port), self.keys.session, httponly=True, samesite="strict", path="/")
            return answer
        lang = lang_of(dict(request.headers), request.cookies)
        status = await self.works.status(lang)
        month = str(Period.before(datetime.now(CHINA).date()))
        made = await run_in_threadpool(runs, self.works.asked.out)
        return self.page(request, "home.html.j2", month=month, standing=status, runs=made[:_SHOWN], works=self.works.latest(_SHOWN))

    async def style(self, _: Request) -> Response:
        return Response(_PAGES.get_template("style.css").render(), media_type="text/css")

    async def switch(self, request: Request) -> Response:
        # Back to where it was asked for; a page of another site is none of ours.
        came_from = urlsplit(request.headers.get("referer", ""))
        answer = RedirectResponse(came_from.path if came_from.netloc == request.headers["host"] and came_from.path.startswith(_PAGES_OF_OURS) else "/", 303)
        if (to := request.query_params.get("to")) in ("en", "zh"):
            answer.set_cookie("aggregator_lang", str(to), httponly=True, samesite="strict", path="/")
        return answer

    async def upload(self, request: Request) -> Response:
        if self.works.current is not None:
            return self.refusal(request, 409)
        async with request.form(max_files=MOST_FILES, max_fields=20, max_part_size=4096) as form:
            if not same(str(form.get("form_key", "")), self.keys.form):
                return self.refusal(request, 403)
            exports, receipts = ([each for each in form.getlist(name) if isinstance(each, UploadFile) and each.filename] for name in ("exports", "receipts"))
            period, mode = str(form.get("period", "")), str(form.get("mode", self.mode))
            if not exports or not _PERIOD.fullmatch(period) or mode not in MODES:
                return self.refusal(request, 422)
            at = datetime.now(CHINA)
            name, folder = self.works.new_folder(at)
            try:
                folder.mkdir(parents=True, mode=0o700)
                laid = [await run_in_threadpool(lay_down, files, folder / place) for place, files in (("exports", exports), ("receipts", receipts))]
            except (OddFile, OSError) as error:
                shutil.rmtree(folder, ignore_errors=True)
                return self.refusal(request, 422 if isinstance(error, OddFile) else 507)
            work = Work(name, f"{at:%Y-%m-%d %H:%M}", laid[0], laid[1], period, mode, form.get("cleared") == "all")
        answer = self._start(request, work, "check")
        if answer.status_code == 409:
            shutil.rmtree(folder, ignore_errors=True)
        return answer

    def _start(self, request: Request, work: Work, step: Step) -> Response:
        try:
            self.works.start(work, step, lang_of(dict(request.headers), request.cookies))
        except Busy:
            return self.refusal(request, 409)
        return RedirectResponse(f"/work/{work.id}", 303)

    async def work(self, request: Request) -> Response:
        work = self.works.find(request.path_params["name"])
        if work is None:
            return self.refusal(request, 404)
        lang, mode = lang_of(dict(request.headers), request.cookies), mode_of(work.mode)
        check, step = (work.steps.get(name) for name in ("check", "run"))
        checked, ran = ((each.result or {}) if each is not None else {} for each in (check, step))
        headings = {base(file): columns for file, columns in checked.get("headings", {}).items()}
        found = await run_in_threadpool(findings, self.works.folder_of(work) / "findings.csv", mode, headings, lang)
        run = find_run(self.works.asked.out, str(ran.get("period")), str(ran.get("run_ref"))) if ran.get("published") else None
        excluded = [(count, mode.rules.exclusions[reason].message.in_lang(lang)) for reason, count in (ran or checked).get("excluded", {}).items()]
        latest = step or check
        failed = _FAILED.get(latest.code or 0, _ODD).in_lang(lang) if latest is not None and latest.code not in (0, 3) else ""
        return self.page(
            request, "work.html.j2", work=work, found=found, refresh="2" if work.under_way else "", run=run, step=latest, checked=checked, ran=ran, failed=failed, excluded=excluded,
        )  # fmt: skip

    async def run(self, request: Request) -> Response:
        work = self.works.find(request.path_params["name"])
        async with request.form(max_files=0, max_fields=5, max_part_size=4096) as form:
            if not same(str(form.get("form_key", "")), self.keys.form):
                return self.refusal(request, 403)
        return self.refusal(request, 404) if work is None else self._start(request, work, "run")

    def _run_of(self, request: Request) -> Run | None:
        return find_run(self.works.asked.out, request.path_params["period"], request.path_params["ref"])

    async def one_run(self, request: Request) -> Response:
        run = self._run_of(request)
        if run is None:
            return self.refusal(request, 404)
        lang = lang_of(dict(request.headers), request.cookies)
        found = await run_in_threadpool(findings, run.folder / "findings.csv", run.mode, run.headings, lang)
        what = {name: FILES.get(name, FILES.get(f"{name.split('/')[0]}/")) for name in run.files}
        return self.page(request, "run.html.j2", run=run, found=found, what={name: text.in_lang(lang) for name, text in what.items() if text is not None})

    async def file(self, request: Request) -> Response:
        run, name = self._run_of(request), request.path_params["name"]
        path = run.files.get(name) if run is not None else None
        if path is None:
            return self.refusal(request, 404)
        if name.endswith("report.html"):
            return FileResponse(path, media_type="text/html", headers={"content-security-policy": REPORTS})
        return FileResponse(path, media_type="application/octet-stream", filename=path.name)

    async def zip(self, request: Request) -> Response:
        run = self._run_of(request)
        if run is None:
            return self.refusal(request, 404)
        made = await run_in_threadpool(zipped, run)
        named = f"attachment; filename*=UTF-8''{quote(run.ref)}.zip"
        return StreamingResponse(iter(lambda: made.read(1 << 20), b""), media_type="application/zip", headers={"content-disposition": named})


def app_of(asked: Asked, keys: Keys, host: str, port: int, mode: str, most_bytes: int) -> Guard:
    works = Works(asked)
    pages = Pages(works, keys, port, mode)

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        yield
        await works.end()

    run = "/run/{period}/{ref}"
    app = Starlette(routes=[
        Route("/", pages.home), Route(STYLE, pages.style), Route("/lang", pages.switch), Route("/upload", pages.upload, methods=["POST"]),
        Route("/work/{name}", pages.work), Route("/work/{name}/run", pages.run, methods=["POST"]), Route(run, pages.one_run),
        Route(run + "/all.zip", pages.zip), Route(run + "/file/{name:path}", pages.file),
    ], lifespan=lifespan, exception_handlers=pages.refusals())  # fmt: skip

    class Said(Refused):
        def answer(self, status: int) -> Response:
            return pages.refusal(Request(self.scope), status)

    names = ("127.0.0.1", "localhost", "[::1]") if host in ("127.0.0.1", "::1") else (f"[{host}]" if ":" in host else host,)
    return Guard(app, keys, port, tuple(f"{name}:{port}" for name in names), most_bytes, Said)


def serve(asked: Asked, host: str, port: int, mode: str, most_bytes: int, ready: Any) -> None:
    """Until it is interrupted. `ready` is called with the address."""
    import socket

    import uvicorn

    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as door:
        door.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        door.bind((host, port))
        door.listen()
        port, keys = door.getsockname()[1], Keys()
        Path(asked.folder).mkdir(parents=True, exist_ok=True, mode=0o700)
        config = uvicorn.Config(app_of(asked, keys, host, port, mode, most_bytes), log_config=None, access_log=False, server_header=False, proxy_headers=False)
        ready(f"http://{f'[{host}]' if ':' in host else host}:{port}/?token={keys.token}")
        uvicorn.Server(config).run(sockets=[door])

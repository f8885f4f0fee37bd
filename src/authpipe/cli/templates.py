"""`authpipe template …`: the catalogue, and deploying from it."""

from __future__ import annotations

from typing import Annotated

import typer

from authpipe.catalogue import catalogue
from authpipe.cli import output
from authpipe.cli.output import AsJson
from authpipe.cli.session import ProfileOption, client
from authpipe.errors import InvalidArgument
from authpipe.model import Scene

app = typer.Typer(no_args_is_help=True, help="Ready functions to start from.")

TemplateId = Annotated[str, typer.Argument(help="As `template list` prints it.")]


@app.command(name="list")
def listed(
    scene: Annotated[str | None, typer.Option(help="Only those made for this scene.")] = None, as_json: AsJson = False
) -> None:
    """List the templates of the catalogue.

    Example: authpipe template list --scene PRE_REGISTER
    """
    known = catalogue.load()
    found = known.templates if scene is None else known.for_scene(Scene.parse(scene))
    if as_json:
        output.show_json([{"id": x.id, "title": x.title_en, "scenes": x.scenes} for x in found])
    else:
        output.show_table(("id", "title", "scenes"), [(x.id, x.title_en, ", ".join(x.scenes)) for x in found])


@app.command()
def show(template_id: TemplateId, as_json: AsJson = False) -> None:
    """Print a template's code.

    Example: authpipe template show email-domain-whitelist > whitelist.js
    """
    found = catalogue.load().get(template_id)
    if as_json:
        output.show_json({"id": found.id, "title": found.title_en, "scenes": found.scenes, "code": found.code})
    else:
        print(found.code, end="")


@app.command()
def use(
    template_id: TemplateId,
    scene: Annotated[str | None, typer.Option(help="Needed when the template suits several.")] = None,
    name: Annotated[str | None, typer.Option(help="Default: the template's id.")] = None,
    profile: ProfileOption = "default",
    as_json: AsJson = False,
) -> None:
    """Deploy a template as it is.

    Example: authpipe template use email-domain-whitelist
    """
    found = catalogue.load().get(template_id)
    if scene is None and len(found.scenes) > 1:
        raise InvalidArgument(f"say --scene: {template_id} suits {', '.join(found.scenes)}")
    body = {
        "sourceCode": found.code,
        "scene": scene or found.scenes[0],
        "funcName": name or found.id,
        "funcDescription": found.overview_en,
        "isAsynchronous": found.asynchronous,
    }
    made = client(profile).call("POST", "/api/v3/create-pipeline-function", body)
    if as_json:
        output.show_json(made)
    else:
        output.say(f"{made['funcId']}  {made['scene']}  {made['funcName']}: {made['status']}")

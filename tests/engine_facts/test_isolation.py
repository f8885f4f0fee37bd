"""Which ways lead out of evaluated code, and which do not."""

from __future__ import annotations

import pytest


def test_a_literal_import_in_the_entry_reads_any_file(printed):
    source = 'import text from "/etc/passwd" with { type: "text" }; console.log(text.includes("root:"))'
    assert printed(source) == "true"


@pytest.mark.parametrize(
    "code",
    [
        "(0, eval)(`import('/etc/passwd', { with: { type: 'text' } })`)",
        "new Function(`return import('/etc/passwd', { with: { type: 'text' } })`)()",
        "Deno[Deno.internal].core.compileFunction("
        "`return import('/etc/passwd', { with: { type: 'text' } })`, 'file:///f.js', undefined, [])[0]()",
    ],
)
def test_evaluated_code_may_not_import_files(printed, code):
    assert printed(f"try {{ await {code}; console.log('read') }} catch (error) {{ console.log(error.name) }}") != "read"


def test_refused_built_ins_load_and_refuse_when_called(printed):
    source = """
    const load = process.getBuiltinModule;
    const refused = [];
    try { load('fs').readFileSync('/etc/passwd') } catch (error) { refused.push(error.code ?? error.name) }
    try { load('child_process').execFileSync('/bin/true') } catch (error) { refused.push(error.name) }
    load('net').connect(80, '127.0.0.1').on('error', (error) => {
      refused.push(error.code ?? error.name);
      console.log(refused.length, refused.includes(undefined));
    });
    """
    assert printed(source) == "3 false"


def test_node_modules_that_load_late_need_the_name_deno(run):
    done = run("delete globalThis.Deno; process")
    assert done.returncode == 1
    assert "Deno is not defined" in done.stderr


def test_a_function_can_write_over_standard_output(printed):
    assert printed("process.stdout.write('raw')") == "raw"


def test_worker_threads_start_without_any_permission(printed):
    source = """
    const worker = new Worker("data:text/javascript,postMessage(7)", { type: "module" });
    worker.onmessage = ({ data }) => { console.log(data); worker.terminate() };
    """
    assert printed(source) == "7"

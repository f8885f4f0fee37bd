"""What the worker program relies on inside Deno; the pinned version has it, an upgrade must show that it still does."""

from __future__ import annotations

CORE = "const core = Deno[Deno.internal].core; const show = (...all) => console.log(...all);\n"


def test_every_name_the_worker_program_takes_exists(printed):
    names = (
        "decode byteLength read refOpPromise unrefOpPromise runMicrotasks hasTickScheduled processTicksAndRejections "
        "eventLoopHasMoreWork isPromise isNativeError isTypedArray AsyncVariable getAsyncContext setAsyncContext "
        "compileFunction setUnhandledPromiseRejectionHandler setReportExceptionCallback createTimer cancelTimer "
        "refTimer unrefTimer immediateRefCount queueImmediate"
    )
    source = f"show({names!r}.split(' ').filter((name) => typeof core[name] !== 'function').join(), typeof core.kRefed)"
    assert printed(CORE + source) == "symbol"


def test_microtasks_can_be_drained_outside_a_microtask_only(printed):
    source = """
    const chain = async (seen) => { for (let i = 0; i < 9; i++) await null; seen.push(1) };
    const top = [], timer = [], inside = [];
    chain(top); core.runMicrotasks();
    const topCount = top.length;
    setTimeout(() => { chain(timer); core.runMicrotasks(); const count = timer.length;
      Promise.resolve().then(() => { chain(inside); core.runMicrotasks(); show(topCount, count, inside.length) }) }, 1);
    """
    assert printed(CORE + source) == "1 1 0"


def test_the_event_loop_tells_whether_it_has_more_work(printed):
    source = """
    const answers = [core.eventLoopHasMoreWork()];
    const timer = core.createTimer(() => {}, 10, undefined, false, true, true);
    answers.push(core.eventLoopHasMoreWork());
    core.unrefTimer(timer);
    answers.push(core.eventLoopHasMoreWork());
    process.getBuiltinModule("crypto").pbkdf2("a", "b", 200_000, 9, "sha256", () => show(answers.join()));
    setImmediate(() => answers.push(core.eventLoopHasMoreWork()));
    """
    assert printed(CORE + source) == "false,true,false,true"


def test_async_context_survives_promises_and_timers_and_reaches_rejections(printed):
    source = """
    const variable = new core.AsyncVariable(), before = core.getAsyncContext(), seen = [];
    core.setUnhandledPromiseRejectionHandler((_, reason) => { seen.push([reason, variable.get()]); return true });
    variable.enter("a");
    (async () => { await null; seen.push(["promise", variable.get()]) })();
    setTimeout(() => seen.push(["timer", variable.get()]), 1);
    Promise.reject("rejection");
    core.setAsyncContext(before);
    seen.push(["outside", String(variable.get())]);
    setTimeout(() => show(JSON.stringify(Object.fromEntries(seen))), 5);
    """
    assert printed(CORE + source) == '{"outside":"undefined","promise":"a","rejection":"a","timer":"a"}'


def test_compiled_functions_keep_the_lines_and_columns_of_their_text(printed):
    source = """
    const text = "function f() {\\n  throw new Error('x') }\\nf()";
    const [body] = core.compileFunction(text, "file:///named.js", undefined, []);
    try { body() } catch (error) { show(error.stack.split("\\n")[1].trim()) }
    """
    assert printed(CORE + source) == "at f (file:///named.js:2:9)"


def test_syntax_errors_of_evaluated_code_name_no_place(printed):
    source = r"""
    for (const attempt of [() => eval("let x = ;"), () => new Function("let x = ;")])
      try { attempt() } catch (error) { show(/program|evalmachine|:\d+:\d+/.test(error.message)) }
    """
    assert printed(CORE + source).split() == ["false", "false"]


def test_the_time_zone_can_be_set_after_birth(printed):
    source = "new Date().getHours(); Deno.env.set('TZ', 'Asia/Shanghai'); console.log(new Date(0).getHours())"
    assert printed(source) == "8"


def test_global_timers_and_process_are_loaded_when_first_read(printed):
    source = """
    const lazy = (name) => typeof Object.getOwnPropertyDescriptor(globalThis, name).get === "function";
    show(["setTimeout", "process", "Buffer"].map(lazy).join());
    """
    assert printed(CORE + source) == "true,true,true"


def test_deno_adds_variables_of_its_own(printed):
    assert (
        printed("console.log(Object.keys(Deno.env.toObject()).sort().join())")
        == "DENO_DIR,DENO_NODE_SHIM_ACTIVE,NO_COLOR,PATH"
    )

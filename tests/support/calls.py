"""Generated C whose kernels are called through functions or macros of a test."""

from tinycompile.codegen import emit, emit_code
from tinycompile.program import Program

_REGIONS = "/* ---- regions ---- */\n"


def calls_through(program: Program, prefix: str, text: str) -> dict[str, str]:
    """The generated files; the call of stage k goes to `prefix`k, which `text` in front of the regions defines."""
    files, name = emit(program, emit_code(program)), f"{program.name}.c"
    stages = [stage for region in program.regions for stage in region.stages]
    head, marker, body = files[name].partition(_REGIONS)
    made = ""
    for position, stage in enumerate(stages):
        before, call, body = body.partition(f"{stage.function}(")
        assert call, f"stage {position} is called where its region says"
        made += f"{before}{prefix}{position}("
    return {**files, name: head + text + marker + made + body}

"""Builds generated code, runs it, compares it with a reference and measures it.

verify_directory   every output byte against an oracle; the first layer that differs
bench_directory    instructions, modelled cycles, stack, flash
make_samples       random and extreme inputs; load_samples reads real ones
check_tools        what is installed
"""

from tinycompile.toolchain.bench import BenchResult, LayerBench, bench_directory
from tinycompile.toolchain.doctor import Tool, check_tools
from tinycompile.toolchain.generated import Generated, LayerInfo, TensorInfo, read_generated
from tinycompile.toolchain.harness import Sample
from tinycompile.toolchain.oracle import OracleResult, Reference, available_oracles, run_oracle
from tinycompile.toolchain.samples import load_samples, make_samples
from tinycompile.toolchain.verify import Difference, LayerDifference, VerifyResult, verify_directory

__all__ = [
    "BenchResult",
    "Difference",
    "Generated",
    "LayerBench",
    "LayerDifference",
    "LayerInfo",
    "OracleResult",
    "Reference",
    "Sample",
    "TensorInfo",
    "Tool",
    "VerifyResult",
    "available_oracles",
    "bench_directory",
    "check_tools",
    "load_samples",
    "make_samples",
    "read_generated",
    "run_oracle",
    "verify_directory",
]

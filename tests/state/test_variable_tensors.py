"""Variable tensors of the file: what operators update lies in the state, is updated there, and begins as the reference's does."""

import numpy as np

from tests.ops import test_svdf, test_unidirectional_sequence_lstm
from tests.ops.case import Case
from tinycompile.driver import compile_model
from tinycompile.frontend import read_model


def _lstm(name: str) -> Case:
    cases = test_unidirectional_sequence_lstm.TestUnidirectionalSequenceLstm.cases
    return next(case for case in cases if case.id == name)


def test_two_states_of_one_operator_are_updated_in_place() -> None:
    """No copy, and the state holds 4 hidden bytes and 4 cells of two."""
    done = compile_model(_lstm("plain").model, board="m7", name="lstm")
    assert [node.kind for node in done.graph.nodes] == ["UNIDIRECTIONAL_SEQUENCE_LSTM"]
    assert done.program.state_bytes == 4 + 4 * 2


def test_int8_begins_as_its_zero_point() -> None:
    case = next(case for case in test_svdf.TestSvdf.cases if case.id == "state_int8_zero_point")
    (variable,) = read_model(case.model, case.id).variables
    assert np.unique(variable.initial).tolist() == [17]


def test_int16_begins_as_zero() -> None:
    hidden, cell = read_model(_lstm("zero_points_odd").model, "lstm").variables
    assert (np.unique(hidden.initial).tolist(), np.unique(cell.initial).tolist()) == ([-7], [0])

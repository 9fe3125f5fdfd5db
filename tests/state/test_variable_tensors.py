"""Variable tensors of the file: what operators update lies in the state, where it is updated, and begins as the reference's does."""

import numpy as np

from tests.ops.test_svdf import TestSvdf
from tests.ops.test_unidirectional_sequence_lstm import TestUnidirectionalSequenceLstm
from tinycompile.driver import compile_model
from tinycompile.frontend import read_model


def test_two_states_of_one_operator_are_updated_in_place() -> None:
    """No copy, and the state holds 4 hidden bytes and 4 cells of two."""
    case = next(case for case in TestUnidirectionalSequenceLstm.cases if case.id == "plain")
    done = compile_model(case.model, board="m7", name="lstm")
    assert [node.kind for node in done.graph.nodes] == ["UNIDIRECTIONAL_SEQUENCE_LSTM"]
    assert done.program.state_bytes == 4 + 4 * 2


def test_int8_begins_as_its_zero_point() -> None:
    case = next(case for case in TestSvdf.cases if case.id == "state_int8_zero_point")
    (variable,) = read_model(case.model, case.id).variables
    assert np.unique(variable.initial).tolist() == [17]


def test_other_types_begin_as_zero() -> None:
    case = next(case for case in TestUnidirectionalSequenceLstm.cases if case.id == "zero_points_odd")
    hidden, cell = read_model(case.model, case.id).variables
    assert (np.unique(hidden.initial).tolist(), np.unique(cell.initial).tolist()) == ([-7], [0])

"""What is known already of couplings and masses: limits as data, where each applies, and their lines in a figure."""

from mcgen.analysis.constraints.computed import G2_SETS as G2_SETS
from mcgen.analysis.constraints.computed import Shift as Shift
from mcgen.analysis.constraints.known import NAMES as NAMES
from mcgen.analysis.constraints.known import PAPER as PAPER
from mcgen.analysis.constraints.known import Constraint as Constraint
from mcgen.analysis.constraints.known import NotDrawnWarning as NotDrawnWarning
from mcgen.analysis.constraints.known import check_names as check_names
from mcgen.analysis.constraints.known import constraints as constraints
from mcgen.analysis.constraints.rules import ShownBoson as ShownBoson

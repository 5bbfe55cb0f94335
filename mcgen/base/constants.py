"""Constants in GeV, cm and pb, each with its source."""

HBARC_GEV_CM = 1.973269804e-14  #: CODATA 2018
GEV2_PB = 3.8937937194e8  #: 1 GeV^-2 in pb, (hbar c)^2 of CODATA 2018
MM_PER_CM = 10.0
MM_PER_NS = 299.792458  #: light in vacuum, exact
PB_CM2 = 1e-36  #: 1 pb in cm^2
ALPHA = 1.0 / 137.035999  #: CODATA 2018, the digits of the reference tables

M_E = 0.51099895e-3  #: electron, CODATA 2018
M_MU = 0.1056583755  #: muon, CODATA 2018
M_TAU = 1.77686  #: tau, PDG 2020
M_PI = 0.13957039  #: charged pion, PDG 2020
M_OMEGA, M_PHI = 0.78266, 1.019461  #: narrow vector mesons, PDG 2022
M_P = 0.93827209  #: proton, CODATA 2018
MU_P = 2.79  #: magnetic moment of the proton in nuclear magnetons, as in Appendix A
AMU = 0.931494  #: atomic mass unit; nuclear mass M = A * AMU

AVOGADRO = 6.02214076e23  #: exact since 2019, 1/mol

LEPTON_MASSES = {"e": M_E, "mu": M_MU, "tau": M_TAU}

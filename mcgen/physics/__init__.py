"""Every numbered equation of arXiv:1701.07437, once: `EQUATIONS` says where.

The files are named after the physics; they know floats, arrays and each other, and nothing of cards, files or plots.
"""

#: equation -> where it is computed ('module.name', relative to this package), or why it is not
EQUATIONS: dict[str, str] = {
    "1": "boson.couplings.model_B",
    "2": "boson.couplings.model_A",
    "3": "boson.muon_g2.delta_a_mu",
    "4": "boson.scalar_decay.width_leptons",
    "5": "boson.scalar_decay.width_photons",
    "6": "boson.scalar_decay.loop_function",
    "7": "boson.scalar_decay.total_width",
    "8": "boson.scalar_decay.total_width",
    "9": "boson.scalar_decay.decay_length",
    "10": "boson.scalar_decay.decay_length",
    "11": "boson.scalar_decay.decay_length",
    "12": "emission.iww.dsigma_dx",
    "13": "emission.photon_flux.chi",
    "14": "signal.signal_yield.yield_per_pb",
    "15": "signal.signal_yield.yield_per_pb",
    "16": "matter.energy_loss.depth",
    "17": "signal.signal_yield.expected_signal",
    "18": "signal.fiducial.missing_energy",
    "19": "signal.signal_yield.decay_probability",
    "20": "signal.fiducial.displaced",
    "21": "signal.kaon.photon_spectrum",
    "22": "signal.kaon.kaon_background",
    "A1": "emission.form_factor.G2_elastic",
    "A2": "emission.form_factor.G2_inelastic",
}

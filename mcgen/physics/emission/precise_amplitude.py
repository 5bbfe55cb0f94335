"""A in twice the working precision, for points at which large terms cancel.

At such points A or its denominator s is small: a light lepton flies along S, or lepton, S and momentum transfer all
fly along the beam, where the helicities suppress a pseudoscalar or a vector. The formulas are those of
`mcgen.physics.emission.kinematics` and `mcgen.physics.emission.amplitude`, in the same steps.
"""

from __future__ import annotations

import math

from mcgen.base.jit import jit
from mcgen.physics.emission._double_double import Pair, add, divide, multiply, product, root, scale, sum_of
from mcgen.physics.emission.mediator import Weights


@jit
def _square(a: Pair) -> Pair:
    return multiply(a, a)


@jit
def _momentum(E: Pair, m: float) -> Pair:
    """Momentum of energy E and mass m."""
    return root(multiply(add(E, (-m, 0.0)), add(E, (m, 0.0))))


@jit
def _cosine(phi: float) -> tuple[Pair, Pair]:
    """cos(phi) and sin(phi)^2, as precise as doubles of the half angle near 0 and near pi."""
    sine2 = product(math.sin(0.5 * phi), math.sin(0.5 * phi))
    cosine2 = product(math.cos(0.5 * phi), math.cos(0.5 * phi))
    if sine2[0] < cosine2[0]:
        cosine2 = add((1.0, 0.0), scale(sine2, -1.0))
    else:
        sine2 = add((1.0, 0.0), scale(cosine2, -1.0))
    return add(cosine2, scale(sine2, -1.0)), scale(multiply(sine2, cosine2), 4.0)


@jit
def _precise_weights(m: float, m_out: float, m_S: float, w: Weights) -> tuple[Pair, Pair, Pair]:
    """Weights of K, f and Q without the rounding errors of their doubles, as in `mediator`."""
    odd = 1.0 - w.even
    m_S2 = product(m_S, m_S)
    total2 = _square(sum_of(m, m_out))
    change2 = _square(sum_of(m, -m_out))
    of_scalar = add(scale(total2, w.even), scale(change2, odd))
    if w.B == 0.0:
        return (w.K, 0.0), (0.0, 0.0), add(scale(m_S2, -1.0), of_scalar)
    of_vector = add(scale(change2, w.even), scale(total2, odd))
    K = scale(divide(of_vector, m_S2), 4.0)
    f = scale(add(m_S2, scale(of_vector, -1.0)), 4.0)
    Q = add(scale(m_S2, -2.0), add(scale(of_vector, 2.0), scale(of_scalar, -1.0)))
    return K, f, add(Q, divide(multiply(total2, change2), m_S2))


Pairs = tuple[Pair, Pair, Pair, Pair, Pair, Pair, Pair, Pair, Pair]


@jit
def _emission(E: float, m: float, m_out: float, m_S: float, E_S: float, d: float) -> Pairs:
    """(p, k, W, -u, V^2, V, k along V, k across V, Y along V), as in `kinematics.emission`; d is 1 - cos(theta_S)."""
    m2 = product(m, m)
    m_S2 = product(m_S, m_S)
    m_out2 = product(m_out, m_out)
    p = _momentum((E, 0.0), m)
    k = _momentum((E_S, 0.0), m_S)
    W = sum_of(E, -E_S)
    p_W = _momentum(W, m_out)

    E_S_k = add(k, (E_S, 0.0))
    W_p_W = add(W, p_W)
    gained = divide(add(multiply(m_S2, W_p_W), multiply(m_out2, E_S_k)), multiply(E_S_k, W_p_W))
    q_long = add(gained, scale(divide(m2, add(p, (E, 0.0))), -1.0))
    p_k = add(p, scale(k, -1.0))
    pk = scale(multiply(p, k), d)
    u = add(multiply(q_long, add(p_k, p_W)), scale(pk, 2.0))
    V2 = add(_square(p_k), scale(pk, 2.0))
    V = root(V2)
    k_1 = divide(multiply(multiply(p, k), root(multiply((d, 0.0), sum_of(2.0, -d)))), V)
    k_V = divide(add(multiply(k, p_k), scale(pk, -1.0)), V)
    above = add(product(E, m_S), scale(product(E_S, m), -1.0))
    below = add(product(E, m_S), product(E_S, m))
    along = divide(multiply(above, below), add(scale(p, E_S), scale(k, E)))
    Y_V = divide(add(multiply(p_k, along), multiply(pk, sum_of(E, E_S))), V)
    return p, k, W, u, V2, V, k_V, k_1, Y_V


@jit
def _transfer(m_out: float, M: float, e: Pairs, t_minus_tmin: float) -> tuple[Pair, Pair, Pair, Pair, Pair]:
    """(t, q across V squared, kinetic energy of what recoils, |q|^2, q along V) of an emission."""
    _, _, W, u, V2, V, _, _, _ = e
    m_out2 = product(m_out, m_out)
    per_M = divide((1.0, 0.0), (M, 0.0))
    B = add(scale(V2, 4.0), scale(multiply(u, add((1.0, 0.0), multiply(W, per_M))), -2.0))
    E_low = add(W, scale(multiply(u, per_M), -0.5))
    reach = add(B, scale(multiply(V, _momentum(E_low, m_out)), 4.0))
    C = add((1.0, 0.0), scale(multiply(W, per_M), 2.0))
    C = add(C, multiply(add(m_out2, scale(u, -1.0)), _square(per_M)))
    t = add(scale(divide(_square(u), reach), 2.0), (t_minus_tmin, 0.0))
    left = add(scale(divide(reach, C), 0.5), scale(t, -1.0))
    q_perp2 = divide(scale(multiply(multiply(C, left), (t_minus_tmin, 0.0)), 0.25), V2)
    if q_perp2[0] < 0.0:
        q_perp2 = (0.0, 0.0)
    recoil = scale(multiply(t, per_M), 0.5)
    q2 = add(t, _square(recoil))
    q_par = divide(add(scale(add(u, t), -0.5), scale(multiply(recoil, W), -1.0)), V)
    return t, q_perp2, recoil, q2, q_par


@jit
def _of_spin(m: float, m_S: float, w: Weights, c: tuple[Pair, Pair, Pair], u: Pair, t: Pair, s: Pair) -> Pair:
    """A_g (s u)^2 in GeV^4: what spin 1/2 of the target adds to A (s u)^2, over t; c are the weights of K, f and Q."""
    c_K, c_f, c_Q = c
    s_u = add(s, scale(u, -1.0))  # -2 k.q
    m2 = product(m, m)
    m_S2 = product(m_S, m_S)
    K = add(scale(_square(s_u), 0.5), scale(multiply(m_S2, t), -1.0))
    once = multiply(c_K, K)
    if w.B != 0.0:
        p_q, p_out_q = add(s, t), add(u, scale(t, -1.0))
        B = add(scale(add(_square(p_q), _square(p_out_q)), 0.5), scale(multiply(m2, t), -2.0))
        once = add(once, add(scale(B, w.B), scale(multiply(c_f, t), -6.0)))
    inner = multiply(add(scale(t, 2.0), scale(m2, -4.0)), _square(s_u))
    outer = multiply(multiply(u, s), add(m_S2, scale(s_u, -1.0)))
    return add(multiply(once, multiply(s, u)), multiply(c_Q, add(inner, scale(outer, -4.0))))


@jit
def precise_amplitude(
    E: float,
    m: float,
    m_out: float,
    m_S: float,
    M: float,
    weights: Weights,
    spin_half: bool | None,
    E_S: float,
    one_minus_cos_theta: float,
    t_minus_tmin: float,
    phi_q: float,
) -> float:
    """A in GeV^2, in twice the working precision.

    Parameters
    ----------
    E, m, m_out, m_S, M : float
        Total beam energy, and masses of beam lepton, outgoing lepton, boson and nucleus in GeV.
    weights : Weights
        Those of the mediator.
    spin_half : True or None
        Whether what is hit has spin 1/2; else it has spin 0.
    E_S, one_minus_cos_theta, t_minus_tmin, phi_q : float
        The point, as in `mcgen.physics.emission.amplitude.reduced_amplitude`.
    """
    e = _emission(E, m, m_out, m_S, E_S, one_minus_cos_theta)
    p, k, W, u, V2, V, k_V, k_1, Y_V = e
    t, q_perp2, recoil, q2, q_par = _transfer(m_out, M, e, t_minus_tmin)
    masses = add(product(m, m), product(m_out, m_out))
    m_S2 = product(m_S, m_S)

    # A, `amplitude.azimuthal_form` at one azimuth
    cosine, sine2 = _cosine(phi_q)
    q_1 = multiply(root(q_perp2), cosine)
    k_q1 = multiply(k_1, q_1)
    k_q = add(multiply(k_V, q_par), k_q1)
    X = add(multiply(Y_V, q_par), scale(multiply(W, k_q1), -1.0))
    X_out = add(add(X, scale(q2, E_S)), multiply(recoil, k_q))
    q_22 = multiply(q_perp2, sine2)
    across = multiply(k_1, q_par)
    k_x_q = add(multiply(_square(k), q_22), _square(add(multiply(k_V, q_1), scale(across, -1.0))))
    G = add(multiply(m_S2, q2), k_x_q)
    s = add(u, scale(add(scale(recoil, E_S), k_q), -2.0))
    s_u = multiply(s, u)
    c_K, c_f, c_Q = _precise_weights(m, m_out, m_S, weights)
    once = scale(multiply(c_K, G), 4.0)
    if weights.B != 0.0:
        p_V_q = multiply(add(V, k_V), q_1)
        p_x_q = add(multiply(_square(p), q_22), _square(add(p_V_q, scale(across, -1.0))))
        G_p = add(add(multiply(masses, q2), p_x_q), multiply(V2, q_perp2))
        once = add(once, add(scale(G_p, 4.0 * weights.B), scale(multiply(c_f, q2), 8.0)))
    twice = scale(multiply(c_Q, add(multiply(t, G), scale(multiply(X, X_out), 4.0))), 16.0)
    of_both = add(multiply(once, s_u), twice)
    if spin_half:
        of_spin = _of_spin(m, m_S, weights, (c_K, c_f, c_Q), u, t, s)
        of_both = add(of_both, divide(multiply(t, of_spin), product(M, M)))
    total = divide(of_both, _square(s_u))
    return M * M * (total[0] + total[1])

"""The rules that every claim is held against: by weight, by activity, by nothing, and the largest weights."""

from __future__ import annotations

from dataclasses import dataclass

from noiseprune.rules.base import LocalForm, Rule


@dataclass(frozen=True)
class Weight(Rule):
    """r = |W|."""

    name = "weight"
    local = LocalForm(weighted=True, constant=1.0)


@dataclass(frozen=True)
class Uniform(Rule):
    """r = 1: every synapse alike."""

    name = "uniform"
    local = LocalForm(weighted=False, constant=1.0)


@dataclass(frozen=True)
class Magnitude(Rule):
    """The largest |W|, kept as they are: no draw, hence no 1/p. Ties go by position."""

    name = "magnitude"
    local = LocalForm(weighted=True, constant=1.0)
    ranks = True


@dataclass(frozen=True)
class Activity(Rule):
    """r = |W| (Var x_i + Var x_j): the noise rule without its covariance."""

    name = "activity"
    local = LocalForm(weighted=True, variances=1.0)

"""Up to how many neurons dense algebra is affordable: every such number, in one place.

Times are on two cores. A limit that decides "auto" stands for seconds, one that refuses for minutes or gigabytes.
"""

# --- what "auto" takes dense algebra for
EXACT_SYMMETRIC = 5_000  # a Cholesky inverse in about three seconds
EXACT_GENERAL = 2_000  # a Lyapunov equation in about five seconds
ABSCISSA = 1_000  # below it LAPACK on the whole matrix is faster and surer than ARPACK
ORDER = 1_000  # neurons of a component whose order LAPACK finds as fast as ARPACK, and surer

# --- what a comparison, a picture and `inspect` measure by dense algebra
SYMMETRIC_SPECTRUM = 5_000  # eigenvectors in about a minute
COVARIANCE = 3_000  # two Lyapunov equations in about a minute
DIRECTED_SPECTRUM = 2_000  # two general spectra and their pairing in about a minute
INSPECTED_SPECTRUM = 2_000  # a whole spectrum in seconds
SPECTRAL_ORDER = 20_000  # neurons ordered by an eigenvector, in seconds

# --- where dense algebra ends
EXACT_BY_CHOLESKY = 20_000  # 3.2 GB and about two and a half minutes
EXACT_BY_LYAPUNOV = 6_000  # 1.7 GB and about two minutes
SURE_ABSCISSA = 6_000  # by dense algebra, in minutes, where ARPACK does not find it
FITTED_LEAK = 6_000  # tens of Cholesky inverses in some minutes
SECOND_MOMENTS = 6_000  # above it they are those of samples
THREADED_CHOLESKY = (
    14_000  # OpenBLAS 0.3.30 (in SciPy 1.17) crashes in a threaded dpotrf of 16 000 rows; at 15 000 it works
)

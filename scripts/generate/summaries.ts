/** First sentences for the operators people use most. Operator name → sentence; the rest are documented by their schema alone. */
const TEXT = `
abs: Absolute value of each element; the magnitude of complex ones.
acos: Inverse cosine of each element, in radians.
adaptive_avg_pool1d: Averages over windows chosen so that the result has the given length; input [N, C, L].
adaptive_avg_pool2d: Averages over windows chosen so that the result has the given height and width; input [N, C, H, W].
adaptive_max_pool1d: Maxima over windows chosen so that the result has the given length, and where they were.
adaptive_max_pool2d: Maxima over windows chosen so that the result has the given height and width, and where they were.
add: Adds alpha times the other to each element, with broadcasting.
addbmm: beta times the tensor plus alpha times the sum of the products of a batch of matrices.
addcdiv: Adds value times tensor1 / tensor2.
addcmul: Adds value times tensor1 * tensor2.
addmm: beta times the tensor plus alpha times the product of two matrices.
addmv: beta times the tensor plus alpha times the product of a matrix and a vector.
addr: beta times the tensor plus alpha times the outer product of two vectors.
adjoint: Conjugates the tensor and swaps its last two dimensions.
all: Whether all elements are true (not zero), over the whole tensor or along dimensions.
allclose: Whether all elements are equal within atol + rtol * |other|.
amax: Maximum along the given dimensions; equal maxima share the gradient.
amin: Minimum along the given dimensions; equal minima share the gradient.
aminmax: Minimum and maximum, over the whole tensor or along one dimension.
angle: Argument (phase) of each element, in radians.
any: Whether any element is true (not zero), over the whole tensor or along dimensions.
argmax: Index of the maximum, of the flattened tensor or along one dimension.
argmin: Index of the minimum, of the flattened tensor or along one dimension.
argsort: Indices that sort the tensor along a dimension.
argwhere: Indices of the elements that are not zero, one row each.
as_strided: A view with the given size, strides and offset into the storage.
asin: Inverse sine of each element, in radians.
atan: Inverse tangent of each element, in radians.
atan2: Angle of the point (other, this), in radians, in the right quadrant.
avg_pool1d: Averages over sliding windows; input [N, C, L].
avg_pool2d: Averages over sliding windows; input [N, C, H, W].
avg_pool3d: Averages over sliding windows; input [N, C, D, H, W].
baddbmm: beta times the tensor plus alpha times the products of two batches of matrices.
batch_norm: Normalises each channel by its mean and variance over the batch.
bernoulli: Draws 0 or 1, with the elements as the probabilities of 1.
bilinear: A bilinear map of two inputs: x1ᵀ A x2 + b.
binary_cross_entropy: Cross-entropy between probabilities and targets in [0, 1].
binary_cross_entropy_with_logits: Cross-entropy between sigmoid(input) and targets in [0, 1], computed stably.
bincount: How often each non-negative integer occurs.
bitwise_and: Bit by bit AND; logical AND of booleans.
bitwise_left_shift: Shifts the bits of each element to the left.
bitwise_not: Bit by bit NOT; logical NOT of booleans.
bitwise_or: Bit by bit OR; logical OR of booleans.
bitwise_right_shift: Shifts the bits of each element to the right, keeping the sign.
bitwise_xor: Bit by bit XOR; logical XOR of booleans.
bmm: Products of two batches of matrices, [B, N, M] by [B, M, P].
broadcast_tensors: Expands the tensors to their common shape.
broadcast_to: A view expanded to the given shape.
bucketize: Index of the bucket, given by its ascending boundaries, that each element falls into.
cat: Joins tensors along an existing dimension.
cdist: Distances between all pairs of rows of two matrices, p-norm.
ceil: Rounds each element up to an integer.
celu: max(0, x) + min(0, alpha * (exp(x / alpha) - 1)).
cholesky: Cholesky factor of a positive-definite matrix; use linalg.cholesky, newer engines lack this.
chunk: Splits into the given number of parts, views along a dimension; the last may be smaller.
clamp: Limits each element to [min, max].
clone: A copy with its own memory, part of the gradient's graph.
col2im: Sums sliding blocks back into an image; the inverse of im2col up to overlap.
combinations: All combinations of r elements of a vector.
complex: Complex tensor from a real and an imaginary part.
conj: A view with complex elements conjugated.
constant_pad_nd: Pads with a constant; widths are listed from the last dimension on.
contiguous: The tensor itself when its elements lie in order in memory, otherwise a copy that does.
conv1d: Cross-correlation of [N, C, L] with kernels [O, C / groups, K].
conv2d: Cross-correlation of [N, C, H, W] with kernels [O, C / groups, KH, KW].
conv3d: Cross-correlation of [N, C, D, H, W] with kernels [O, C / groups, KD, KH, KW].
conv_transpose1d: Gradient of conv1d with respect to its input, also called a deconvolution.
conv_transpose2d: Gradient of conv2d with respect to its input, also called a deconvolution.
conv_transpose3d: Gradient of conv3d with respect to its input, also called a deconvolution.
copy_: Copies the elements of another tensor into this one, converting dtype and device.
copysign: Magnitude of this and sign of the other.
corrcoef: Correlation coefficients of the rows.
cos: Cosine of each element, in radians.
cosh: Hyperbolic cosine of each element.
cosine_similarity: Cosine of the angle between vectors along a dimension.
count_nonzero: Number of elements that are not zero.
cov: Covariance matrix of the rows.
cross: Cross product of vectors of length 3.
cross_entropy_loss: Cross-entropy between logits and class indices or probabilities; classes are dimension 1.
ctc_loss: Connectionist temporal classification loss.
cummax: Running maximum along a dimension, and where it was.
cummin: Running minimum along a dimension, and where it was.
cumprod: Running product along a dimension.
cumsum: Running sum along a dimension.
deg2rad: Degrees to radians.
det: Determinant of square matrices.
detach: A view of the same data that gradients do not flow through.
diag: The diagonal of a matrix, or a matrix with the vector as its diagonal.
diag_embed: Matrices with the last dimension as their diagonals.
diagonal: A view of the diagonal over two dimensions.
diff: Differences between neighbours along a dimension, n times.
digamma: Derivative of the logarithm of the gamma function.
dist: p-norm of the difference.
div: Divides each element, with broadcasting; roundingMode 'trunc' or 'floor' gives integer division.
dot: Dot product of two vectors.
dropout: While training, zeroes elements with probability p and scales the rest by 1 / (1 - p).
einsum: Sums of products written in Einstein's notation, e.g. 'ij,jk->ik'.
elu: x where positive, alpha * (exp(x) - 1) elsewhere.
embedding: Rows of a table by index.
embedding_bag: Sums, means or maxima of rows of a table by index.
eq: Element-wise equality, as booleans.
equal: Whether two tensors have the same size and elements.
erf: Error function of each element.
erfc: Complementary error function of each element.
erfinv: Inverse error function of each element.
exp: e to the power of each element.
exp2: 2 to the power of each element.
expand: A view with dimensions of size 1 repeated to the given size, without copying; -1 keeps a size.
expand_as: A view expanded to the size of another tensor.
expm1: exp(x) - 1, exact for small x.
exponential_: Fills with draws from the exponential distribution with rate lambd.
eye: Identity matrix.
fill_: Sets every element to a value.
fill_diagonal_: Sets the main diagonal to a value.
flatten: Merges dimensions startDim to endDim into one.
flip: Reverses the order along dimensions, into a copy.
fliplr: Reverses dimension 1, into a copy.
flipud: Reverses dimension 0, into a copy.
float_power: Power computed in double precision.
floor: Rounds each element down to an integer.
floor_divide: Divides and rounds down.
fmax: Element-wise maximum that prefers numbers to NaN.
fmin: Element-wise minimum that prefers numbers to NaN.
fmod: Remainder with the sign of the dividend (C's fmod).
frac: Fractional part of each element, with its sign.
gather: Values at the given indices along a dimension: out[i][j] = this[index[i][j]][j] for dim 0.
gcd: Greatest common divisor of integers.
ge: Element-wise greater or equal, as booleans.
gelu: Gaussian error linear unit, x * Φ(x).
geometric_: Fills with draws from the geometric distribution.
ger: Outer product of two vectors; an alias of outer.
glu: Gated linear unit: first half times sigmoid of the second half, along a dimension.
grid_sampler: Samples an image at the positions of a grid, with interpolation.
group_norm: Normalises groups of channels of each sample.
gru: Gated recurrent units over a sequence.
gt: Element-wise greater, as booleans.
hamming_window: Hamming window of the given length.
hann_window: Hann window of the given length.
hardshrink: Zero where |x| ≤ lambd, x elsewhere.
hardsigmoid: clamp(x + 3, 0, 6) / 6.
hardswish: x * clamp(x + 3, 0, 6) / 6.
hardtanh: Limits to [minVal, maxVal].
heaviside: 0 below zero, 1 above, values at zero.
histc: Counts in equal bins between min and max.
histogram: Counts (or densities) in bins, and the bins' edges.
huber_loss: Squared error below delta, linear above.
hypot: Length of the hypotenuse, sqrt(x² + y²).
im2col: Sliding blocks of an image as columns.
index_add: Adds slices of source at the given indices of a dimension.
index_copy: Copies slices of source to the given indices of a dimension.
index_fill: Sets slices at the given indices of a dimension to a value.
index_put: Sets (or, with accumulate, adds to) the elements that tensors of indices or masks select.
index_select: Slices at the given indices of a dimension, into a copy.
inner: Dot products over the last dimension.
instance_norm: Normalises each channel of each sample.
inverse: Inverse of square matrices.
is_floating_point: Whether the dtype is a floating-point one.
isclose: Element-wise equality within atol + rtol * |other|.
isfinite: Whether each element is neither infinite nor NaN.
isin: Whether each element occurs among the test elements.
isinf: Whether each element is infinite.
isnan: Whether each element is NaN.
kl_div: Kullback-Leibler divergence; input in log space.
kron: Kronecker product.
kthvalue: The k-th smallest value along a dimension (k from 1), and its index.
l1_loss: Absolute error.
layer_norm: Normalises over the last dimensions, those of normalizedShape.
lcm: Least common multiple of integers.
le: Element-wise less or equal, as booleans.
leaky_relu: x where positive, negativeSlope * x elsewhere.
lerp: Linear interpolation: this + weight * (end - this).
lgamma: Logarithm of the absolute value of the gamma function.
linear: x Wᵀ + b; weight is [out, in].
log: Natural logarithm of each element.
log10: Logarithm to base 10.
log1p: log(1 + x), exact for small x.
log2: Logarithm to base 2.
log_normal_: Fills with draws from the log-normal distribution.
log_sigmoid: Logarithm of the sigmoid, computed stably.
log_softmax: Logarithm of the softmax along a dimension, computed stably.
logaddexp: log(exp(x) + exp(y)), computed stably.
logcumsumexp: Running log of the sum of exponentials along a dimension.
logdet: Logarithm of the determinant.
logical_and: Element-wise AND of truth values.
logical_not: Element-wise NOT of truth values.
logical_or: Element-wise OR of truth values.
logical_xor: Element-wise XOR of truth values.
logit: log(x / (1 - x)); with eps, x is first limited to [eps, 1 - eps].
logsumexp: Log of the sum of exponentials along dimensions, computed stably.
lstm: Long short-term memory over a sequence.
lt: Element-wise less, as booleans.
masked_fill: Sets the elements where the mask is true to a value.
masked_scatter: Takes successive elements of source where the mask is true.
masked_select: The elements where the mask is true, as a vector.
matmul: Matrix product with broadcasting of the batch dimensions; vectors count as rows or columns.
matrix_exp: Matrix exponential.
matrix_power: Integer power of a square matrix.
max: The largest element; along a dimension also its index; or the element-wise maximum with another tensor.
max_pool1d: Maxima over sliding windows; input [N, C, L].
max_pool2d: Maxima over sliding windows; input [N, C, H, W].
max_pool2d_with_indices: Maxima over sliding windows and where they were; input [N, C, H, W].
max_pool3d: Maxima over sliding windows; input [N, C, D, H, W].
maximum: Element-wise maximum; NaN wins.
mean: Mean over the whole tensor or along dimensions.
median: The lower median; along a dimension also its index.
meshgrid: Coordinate grids from vectors.
min: The smallest element; along a dimension also its index; or the element-wise minimum with another tensor.
minimum: Element-wise minimum; NaN wins.
mish: x * tanh(softplus(x)).
mm: Product of two matrices.
mode: The most frequent value along a dimension, and an index of it.
movedim: A view with dimensions moved to other positions.
mse_loss: Squared error.
mul: Multiplies element by element, with broadcasting.
multinomial: Draws indices with the rows as (unnormalised) probabilities.
mv: Product of a matrix and a vector.
nan_to_num: Replaces NaN and infinities by numbers.
nanmean: Mean of the elements that are not NaN.
nanmedian: Median of the elements that are not NaN.
nansum: Sum of the elements that are not NaN.
narrow: A view of length elements from start along a dimension.
ne: Element-wise inequality, as booleans.
neg: Changes the sign of each element.
new_empty: Uninitialised tensor with this one's dtype and device.
new_full: Tensor of one value with this one's dtype and device.
new_ones: Ones with this tensor's dtype and device.
new_zeros: Zeros with this tensor's dtype and device.
nll_loss: Negative log-likelihood of class indices, given log-probabilities.
nonzero: Indices of the elements that are not zero, one row each.
norm: p-norm over the whole tensor or along dimensions; linalg.vectorNorm and linalg.matrixNorm say which one is meant.
normal: Draws from normal distributions with the given means and deviations.
normal_: Fills with draws from the normal distribution.
one_hot: One-hot vectors for class indices.
outer: Outer product of two vectors.
pad: Pads by constant, reflection, replication or wrapping; widths are listed from the last dimension on.
permute: A view with the dimensions in the given order.
pin_memory: A copy in page-locked memory, from which copies to an accelerator are faster.
pinverse: Moore-Penrose pseudo-inverse.
pixel_shuffle: Rearranges [*, C r², H, W] to [*, C, H r, W r].
pixel_unshuffle: Rearranges [*, C, H r, W r] to [*, C r², H, W].
poisson: Draws from Poisson distributions with the elements as rates.
polar: Complex tensor from magnitude and angle.
polygamma: n-th derivative of the digamma function.
pow: Power, element by element, with broadcasting.
prelu: x where positive, weight * x elsewhere; weight is learnt.
prod: Product over the whole tensor or along a dimension.
promote_types: The dtype that arithmetic between two dtypes gives.
quantile: Quantiles (q in [0, 1]) of the whole tensor or along a dimension.
rad2deg: Radians to degrees.
random_: Fills with uniformly drawn integers from [from, to).
ravel: The tensor as a vector.
reciprocal: 1 / x.
relu: max(0, x).
relu6: min(max(0, x), 6).
remainder: Remainder with the sign of the divisor (Python's %).
renorm: Scales down slices along a dimension whose p-norm exceeds maxnorm.
repeat: Repeats the tensor the given number of times along each dimension, into a copy.
repeat_interleave: Repeats each element along a dimension.
reshape: The same elements in another shape, a view when possible; -1 stands for what remains.
resize_: Changes the size in place; new memory is uninitialised.
result_type: The dtype that arithmetic between two values gives.
rms_norm: Divides by the root of the mean square over the last dimensions.
roll: Shifts elements cyclically along dimensions.
rot90: Rotates by 90 degrees k times in the plane of two dimensions.
round: Rounds to the nearest integer, halves to even; decimals may be given.
rsqrt: 1 / sqrt(x).
rsub: The other minus alpha times this.
scaled_dot_product_attention: softmax(Q Kᵀ * scale + mask) V, by the fastest kernel there is.
scatter: Writes values at the given indices along a dimension; the inverse of gather.
scatter_add: Adds values at the given indices along a dimension.
scatter_reduce: Combines values at the given indices along a dimension.
searchsorted: Positions at which values would be inserted into sorted sequences.
select: A view of one slice along a dimension, which goes away.
selu: Scaled exponential linear unit, with its fixed constants.
sgn: Sign of each element; x / |x| for complex ones.
sigmoid: 1 / (1 + exp(-x)).
sign: Sign of each element: -1, 0 or 1.
signbit: Whether each element's sign bit is set.
silu: x * sigmoid(x), also called swish.
sin: Sine of each element, in radians.
sinc: sin(πx) / (πx).
sinh: Hyperbolic sine of each element.
slice_scatter: A copy with a slice along a dimension replaced.
slogdet: Sign and logarithm of the absolute value of the determinant.
smooth_l1_loss: Squared error below beta, absolute error above.
softmax: exp(x) divided by its sum along a dimension.
softplus: log(1 + exp(beta * x)) / beta.
softshrink: Moves towards zero by lambd, zero in between.
sort: Sorted values along a dimension, and the indices that sort.
split: Splits into views of the given size, or sizes, along a dimension.
sqrt: Square root of each element.
square: Square of each element.
squeeze: A view without dimensions of size 1: all of them, or those given.
stack: Joins tensors along a new dimension.
std: Standard deviation over the whole tensor or along dimensions; correction 1 (Bessel's) by default.
std_mean: Standard deviation and mean.
stft: Short-time Fourier transform.
storage_offset: Offset of the first element in the storage, in elements.
sub: Subtracts alpha times the other from each element, with broadcasting.
sum: Sum over the whole tensor or along dimensions.
sum_to_size: Sums so that the result has the given size; the inverse of expand.
svd: Singular value decomposition; linalg.svd is the newer one.
t: Transpose of a matrix, as a view.
take: Elements at indices into the flattened tensor.
take_along_dim: Elements at the given indices along a dimension, with broadcasting.
tan: Tangent of each element, in radians.
tanh: Hyperbolic tangent of each element.
tensor_split: Splits into views, into a number of parts or at indices.
tensordot: Sum of products over the given dimensions of both.
threshold: x where above the threshold, value elsewhere.
tile: Repeats the tensor the given number of times along each dimension, into a copy.
topk: The k largest (or smallest) values along a dimension, and their indices.
trace: Sum of the main diagonal.
transpose: A view with two dimensions swapped.
trapezoid: Integral by the trapezoid rule along a dimension.
tril: Lower triangle, the rest zero.
triu: Upper triangle, the rest zero.
trunc: Rounds each element towards zero.
type_as: Converted to the dtype and device of another tensor.
unbind: Views of all slices along a dimension.
unflatten: A view with one dimension split into several.
unfold: A view of all windows of the given size along a dimension, as a new last dimension.
uniform_: Fills with draws from the uniform distribution on [from, to).
unique_consecutive: Drops elements equal to the one before.
unsqueeze: A view with a new dimension of size 1.
upsample_bilinear2d: Enlarges an image with bilinear interpolation.
upsample_nearest2d: Enlarges an image by repeating the nearest pixel.
var: Variance over the whole tensor or along dimensions; correction 1 (Bessel's) by default.
var_mean: Variance and mean.
vdot: Dot product of two vectors, the first one conjugated.
view: A view of the same memory in another shape; -1 stands for what remains. Fails where reshape would copy.
view_as: A view in the shape of another tensor.
where: Elements of one tensor where the condition holds, of the other elsewhere; alone, the indices where it holds.
xlogy: x * log(y), zero where x is zero.
zero_: Sets every element to zero.
linalg_cholesky: Cholesky factor of positive-definite matrices.
linalg_det: Determinant of square matrices.
linalg_eig: Eigenvalues and eigenvectors of square matrices.
linalg_eigh: Eigenvalues and eigenvectors of symmetric or Hermitian matrices.
linalg_eigvals: Eigenvalues of square matrices.
linalg_eigvalsh: Eigenvalues of symmetric or Hermitian matrices.
linalg_inv: Inverse of square matrices.
linalg_lstsq: Least-squares solution of A X = B.
linalg_matrix_norm: Matrix norm, Frobenius by default.
linalg_matrix_rank: Numerical rank.
linalg_multi_dot: Product of several matrices, in the cheapest order.
linalg_norm: Vector or matrix norm.
linalg_pinv: Moore-Penrose pseudo-inverse.
linalg_qr: QR decomposition.
linalg_slogdet: Sign and logarithm of the absolute value of the determinant.
linalg_solve: Solution of A X = B.
linalg_svd: Singular value decomposition U diag(S) Vh.
linalg_svdvals: Singular values.
linalg_vector_norm: Vector norm, 2-norm by default.
fft_fft: Discrete Fourier transform along a dimension.
fft_fft2: Two-dimensional discrete Fourier transform.
fft_fftfreq: Sample frequencies of a discrete Fourier transform.
fft_fftn: Discrete Fourier transform along several dimensions.
fft_fftshift: Moves the zero frequency to the middle.
fft_ifft: Inverse discrete Fourier transform along a dimension.
fft_irfft: Inverse of rfft; gives real numbers.
fft_rfft: Discrete Fourier transform of real numbers, non-negative frequencies only.
`;

const summaries = new Map(
  TEXT.trim()
    .split('\n')
    .map((line) => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 2)]),
);

/** Long names → the name under which PyTorch documents the same operator. */
const ALIASES: Readonly<Record<string, string>> = {
  absolute: 'abs',
  arccos: 'acos',
  arcsin: 'asin',
  arctan: 'atan',
  arctan2: 'atan2',
  clip: 'clamp',
  concat: 'cat',
  concatenate: 'cat',
  divide: 'div',
  true_divide: 'div',
  fix: 'trunc',
  greater: 'gt',
  greater_equal: 'ge',
  less: 'lt',
  less_equal: 'le',
  moveaxis: 'movedim',
  multiply: 'mul',
  negative: 'neg',
  not_equal: 'ne',
  subtract: 'sub',
  swapaxes: 'transpose',
  swapdims: 'transpose',
  special_erf: 'erf',
  special_erfc: 'erfc',
  special_erfinv: 'erfinv',
  special_exp2: 'exp2',
  special_expit: 'sigmoid',
  special_expm1: 'expm1',
  special_gammaln: 'lgamma',
  special_log1p: 'log1p',
  special_log_softmax: 'log_softmax',
  special_logit: 'logit',
  special_logsumexp: 'logsumexp',
  special_psi: 'digamma',
  special_digamma: 'digamma',
  special_round: 'round',
  special_sinc: 'sinc',
  special_softmax: 'softmax',
  special_xlogy: 'xlogy',
  linalg_matmul: 'matmul',
  linalg_matrix_exp: 'matrix_exp',
  linalg_matrix_power: 'matrix_power',
};

/** A sentence that says what the operator does, or undefined. `add_` is described as `add`, in place. */
export function summaryOf(operator: string): string | undefined {
  const own = summaries.get(operator) ?? summaries.get(ALIASES[operator] ?? '');
  if (own !== undefined || !operator.endsWith('_')) return own;
  const base = summaryOf(operator.slice(0, -1));
  return base === undefined ? undefined : `${base} In place.`;
}

/** Operators that have a sentence; a test holds them against the engines' operators. */
export const describedOperators = (): readonly string[] => [...summaries.keys()];

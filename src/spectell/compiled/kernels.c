/* The two loops that decide how long mean spectra of a data set take: the DCT of an image, and sums over images.

   This file is compiled once for each instruction set (SUFFIX names it); every function works on vectors as long as
   the registers of that set. There is no state, no allocation and no I/O; the caller checks every argument. */

#include <math.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#if defined(__AVX512F__)
#define LANES 16
#elif defined(__AVX2__)
#define LANES 8
#else
#define LANES 4
#endif

#define JOINED(name, suffix) name##_##suffix
#define NAMED(name, suffix) JOINED(name, suffix)
#define EXPORTED(name) __attribute__((visibility("default"))) NAMED(name, SUFFIX)
#define INLINE static inline __attribute__((always_inline))

#define COLOURS 3
#define CHANNELS 4 /* grey, red, green, blue */
#define KINDS 2    /* coefficients, logarithms of their squares */
#define MOMENTS 4  /* deviations of coefficients and their squares, of logarithms and their squares */

typedef float vec __attribute__((vector_size(LANES * sizeof(float))));
typedef int32_t ivec __attribute__((vector_size(LANES * sizeof(float))));

INLINE vec load(const float *from) {
    vec values;
    memcpy(&values, from, sizeof values);
    return values;
}

INLINE void store(float *to, vec values) { memcpy(to, &values, sizeof values); }

/* ---- One dimension: as many transforms side by side as there are lanes -------------------------------------------

   Unnormalised type II:  X[k] = sum_j x[j] cos(pi (2j + 1) k / 2n)
   Unnormalised type IV:  X[k] = sum_j x[j] cos(pi (2j + 1) (2k + 1) / 4n)

   Type II of n halves into type II of the sums and type IV of the differences of mirrored samples; type IV of n, by a
   rotation of mirrored samples, into two of type II of n / 2 (Plonka, Tasche 2005, doi:10.1016/j.laa.2004.07.015).
   All steps are orthogonal up to a factor, so that rounding errors do not grow. Odd lengths are sums as written above.

   The numbers of each length are those of `transform_tables` in kernels.py. Coefficient k goes to out[k * step].
   `scratch` has room for three times the length of a type II; type IV takes more of it and is half as long at most. */

typedef struct {
    const float *rotations, *basis_ii, *basis_iv;
} tables_t;

static tables_t tables_of(int length, const float *numbers) {
    int odd = length;
    while (odd % 2 == 0) odd /= 2;
    tables_t tables = {numbers, numbers + 2 * length, numbers + 2 * length + odd * odd};
    return tables;
}

#define COS_PI_4 0.70710678118654752f
#define COS_PI_8 0.92387953251128676f
#define SIN_PI_8 0.38268343236508977f
#define COS_PI_16 0.98078528040323045f
#define SIN_PI_16 0.19509032201612827f
#define COS_3PI_16 0.83146961230254524f
#define SIN_3PI_16 0.55557023301960222f

INLINE void ii_of_4(vec a, vec b, vec c, vec d, vec *out, ptrdiff_t step) {
    vec low = a + d, high = b + c, falls = a - d, rises = b - c;
    out[0] = low + high;
    out[step] = falls * COS_PI_8 + rises * SIN_PI_8;
    out[2 * step] = (low - high) * COS_PI_4;
    out[3 * step] = falls * SIN_PI_8 - rises * COS_PI_8;
}

INLINE void iv_of_4(vec a, vec b, vec c, vec d, vec *out, ptrdiff_t step) {
    vec even_0 = a * COS_PI_16 + d * SIN_PI_16, even_1 = b * COS_3PI_16 + c * SIN_3PI_16;
    vec odd_0 = d * COS_PI_16 - a * SIN_PI_16, odd_1 = b * SIN_3PI_16 - c * COS_3PI_16;
    vec even = (even_0 - even_1) * COS_PI_4, odd = (odd_0 - odd_1) * COS_PI_4;
    out[0] = even_0 + even_1;
    out[step] = even - odd;
    out[2 * step] = even + odd;
    out[3 * step] = -(odd_0 + odd_1);
}

static void by_basis(const vec *x, vec *out, ptrdiff_t step, int n, const float *basis) {
    for (int k = 0; k < n; k++, basis += n) {
        vec sum = x[0] * basis[0];
        for (int j = 1; j < n; j++) sum += x[j] * basis[j];
        out[k * step] = sum;
    }
}

static void type_iv(const vec *x, vec *out, ptrdiff_t step, int n, vec *scratch, const tables_t *tables);

static void type_ii(const vec *x, vec *out, ptrdiff_t step, int n, vec *scratch, const tables_t *tables) {
    if (n == 4) {
        ii_of_4(x[0], x[1], x[2], x[3], out, step);
        return;
    }
    if (n == 8) {
        ii_of_4(x[0] + x[7], x[1] + x[6], x[2] + x[5], x[3] + x[4], out, 2 * step);
        iv_of_4(x[0] - x[7], x[1] - x[6], x[2] - x[5], x[3] - x[4], out + step, 2 * step);
        return;
    }
    if (n % 2) {
        by_basis(x, out, step, n, tables->basis_ii);
        return;
    }
    int half = n / 2;
    for (int j = 0; j < half; j++) {
        vec here = x[j], mirrored = x[n - 1 - j];
        scratch[j] = here + mirrored;
        scratch[half + j] = here - mirrored;
    }
    type_ii(scratch, out, 2 * step, half, scratch + n, tables);
    type_iv(scratch + half, out + step, 2 * step, half, scratch + n, tables);
}

static void type_iv(const vec *x, vec *out, ptrdiff_t step, int n, vec *scratch, const tables_t *tables) {
    if (n == 4) {
        iv_of_4(x[0], x[1], x[2], x[3], out, step);
        return;
    }
    if (n % 2) {
        by_basis(x, out, step, n, tables->basis_iv);
        return;
    }
    int half = n / 2;
    vec *cosines = scratch, *sines = scratch + half, *even = scratch + n, *odd = scratch + n + half;
    const float *turn = tables->rotations + 2 * n;
    for (int j = 0; j < half; j++, turn += 4) {
        vec here = x[j], mirrored = x[n - 1 - j];
        cosines[j] = here * turn[0] + mirrored * turn[1];
        sines[j] = here * turn[2] + mirrored * turn[3];
    }
    type_ii(cosines, even, 1, half, scratch + 2 * n, tables);
    type_ii(sines, odd, 1, half, scratch + 2 * n, tables);
    out[0] = even[0];
    for (int k = 1; k < half; k++) {
        out[(2 * k - 1) * step] = even[k] - odd[half - k];
        out[2 * k * step] = even[k] + odd[half - k];
    }
    out[(n - 1) * step] = -odd[0];
}

/* ---- Two dimensions ---------------------------------------------------------------------------------------------- */

#if defined(__clang__)
#define PICKED(a, b, ...) __builtin_shufflevector(a, b, __VA_ARGS__)
#else /* GCC has the other one from version 12 on only */
#define PICKED(a, b, ...) __builtin_shuffle(a, b, (ivec){__VA_ARGS__})
#endif

INLINE vec low_halves_woven(vec a, vec b) {
#if LANES == 16
    return PICKED(a, b, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
#elif LANES == 8
    return PICKED(a, b, 0, 8, 1, 9, 2, 10, 3, 11);
#else
    return PICKED(a, b, 0, 4, 1, 5);
#endif
}

INLINE vec high_halves_woven(vec a, vec b) {
#if LANES == 16
    return PICKED(a, b, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31);
#elif LANES == 8
    return PICKED(a, b, 4, 12, 5, 13, 6, 14, 7, 15);
#else
    return PICKED(a, b, 2, 6, 3, 7);
#endif
}

/* Weaving rows that are half a tile apart moves one bit of the row's number to the column's; all bits transpose. */
INLINE void transpose(vec *tile) {
    vec woven[LANES];
    for (int bit = 1; bit < LANES; bit *= 2) {
        for (int i = 0; i < LANES / 2; i++) {
            woven[2 * i] = low_halves_woven(tile[i], tile[i + LANES / 2]);
            woven[2 * i + 1] = high_halves_woven(tile[i], tile[i + LANES / 2]);
        }
        memcpy(tile, woven, sizeof woven);
    }
}

/* The next of the strips that cover a length; the last one overlaps the one before, and computes the same again. */
INLINE int next_strip(int at, int length) {
    int next = at + LANES;
    return next < length && next > length - LANES ? length - LANES : next;
}

INLINE vec *aligned(float *memory) {
    return (vec *)(((uintptr_t)memory + sizeof(vec) - 1) / sizeof(vec) * sizeof(vec));
}

INLINE void add_pixels(const uint8_t *pixels, int height, int width, uint64_t *totals) {
    enum { TOGETHER = 16 * COLOURS };
    for (int y = 0; y < height; y++, pixels += COLOURS * (ptrdiff_t)width) {
        uint32_t sums[TOGETHER] = {0};
        int at = 0;
        for (; at + TOGETHER <= COLOURS * width; at += TOGETHER)
            for (int i = 0; i < TOGETHER; i++) sums[i] += pixels[at + i];
        for (int i = 0; at + i < COLOURS * width; i++) sums[i] += pixels[at + i];
        for (int i = 0; i < TOGETHER; i++) totals[i % COLOURS] += sums[i];
    }
}

/* Orthonormal type-II DCT of each colour. The mean, to the nearest whole number, is taken off before: coefficients lose
   less beside a small one, and nothing beside none, so that a flat image has exactly one coefficient.

   pixels                     height x width x 3, both sides at least 16
   of_height, of_width        tables of these lengths
   out                        3 x height x width
   scratch                    16 * (7 * the longer side + 1) numbers */
void EXPORTED(dct)(const uint8_t *pixels, int height, int width, const float *of_height, const float *of_width,
                   float *out, float *scratch) {
    tables_t down = tables_of(height, of_height), across = tables_of(width, of_width);
    int longest = height > width ? height : width;
    ptrdiff_t plane = (ptrdiff_t)height * width;
    uint64_t totals[COLOURS] = {0};
    float means[COLOURS];
    add_pixels(pixels, height, width, totals);
    for (int colour = 0; colour < COLOURS; colour++)
        means[colour] = rintf((float)((double)totals[colour] / (double)plane));
    vec *strips = aligned(scratch), *result = strips + COLOURS * longest, *free_room = result + longest;

    for (int x = 0; x < width; x = next_strip(x, width)) {
        for (int y = 0; y < height; y++) {
            const uint8_t *pixel = pixels + COLOURS * ((ptrdiff_t)y * width + x);
            uint8_t apart[COLOURS][LANES];
            for (int i = 0; i < LANES; i++)
                for (int colour = 0; colour < COLOURS; colour++) apart[colour][i] = pixel[COLOURS * i + colour];
            for (int colour = 0; colour < COLOURS; colour++) {
                float *to = (float *)(strips + colour * longest + y);
                for (int i = 0; i < LANES; i++) to[i] = apart[colour][i] - means[colour];
            }
        }
        for (int colour = 0; colour < COLOURS; colour++) {
            type_ii(strips + colour * longest, result, 1, height, free_room, &down);
            for (int y = 0; y < height; y++) store(out + colour * plane + (ptrdiff_t)y * width + x, result[y]);
        }
    }

    float scale = 2.0f / sqrtf((float)plane);
    int n_rows = COLOURS * height;
    for (int y = 0; y < n_rows; y += LANES) {
        int left = n_rows - y < LANES ? n_rows - y : LANES;
        float *rows[LANES];
        float scales[LANES];
        for (int i = 0; i < LANES; i++) {
            int row = y + (i < left ? i : left - 1);
            rows[i] = out + (ptrdiff_t)row * width;
            scales[i] = row % height ? scale : scale * COS_PI_4;
        }
        vec tile[LANES], factor = load(scales);
        for (int x = 0; x < width; x = next_strip(x, width)) {
            for (int i = 0; i < LANES; i++) tile[i] = load(rows[i] + x);
            transpose(tile);
            for (int i = 0; i < LANES; i++) strips[x + i] = tile[i] * factor;
        }
        type_ii(strips, result, 1, width, free_room, &across);
        result[0] *= COS_PI_4;
        for (int x = 0; x < width; x = next_strip(x, width)) {
            memcpy(tile, result + x, sizeof tile);
            transpose(tile);
            for (int i = 0; i < left; i++) store(rows[i] + x, tile[i]);
        }
    }
    for (int colour = 0; colour < COLOURS; colour++)
        out[colour * plane] = (float)((double)totals[colour] / sqrt((double)plane));
}

/* ---- Sums over images -------------------------------------------------------------------------------------------- */

/* Natural logarithm of positive normal numbers to about two units in the last place: with the exponent taken off, m is
   between the square roots of 1/2 and 2, and ln m = 2 artanh s, s = (m - 1) / (m + 1); its series ends here with s^9. */
INLINE vec logarithm(vec values) {
    const int32_t root_of_half = 0x3f3504f3; /* the bits of sqrt(1/2) */
    ivec bits = (ivec)values, exponent = (bits - root_of_half) >> 23;
    vec m = (vec)(bits - exponent * (1 << 23));
    vec s = (m - 1.0f) / (m + 1.0f), square = s * s;
    vec series = ((square * (2.0f / 9) + 2.0f / 7) * square + 2.0f / 5) * square + 2.0f / 3;
    vec small = series * square * s + (s + s);
    return __builtin_convertvector(exponent, vec) * 0.69314718055994531f + small;
}

INLINE vec at_least(vec values, float least) {
    vec floor = (vec){0} + least;
    ivec below = values < floor;
    return (vec)(((ivec)floor & below) | ((ivec)values & ~below));
}

/* Less than a register of numbers, at the end of a row. */
INLINE vec load_some(const float *from, int count) {
    if (count == LANES) return load(from);
    vec values = {0};
    memcpy(&values, from, (size_t)count * sizeof(float));
    return values;
}

INLINE void store_some(float *to, vec values, int count) {
    if (count == LANES) store(to, values);
    else memcpy(to, &values, (size_t)count * sizeof(float));
}

INLINE void add_moments_at(const float *colours, int n, ptrdiff_t stride, ptrdiff_t plane, const float *weights,
                           float least, const float *pilot, float *sums, int count) {
    vec held[MOMENTS][CHANNELS], near[KINDS][CHANNELS];
    for (int kind = 0; kind < KINDS; kind++)
        for (int channel = 0; channel < CHANNELS; channel++)
            near[kind][channel] = load_some(pilot + (kind * CHANNELS + channel) * plane, count);
    for (int moment = 0; moment < MOMENTS; moment++)
        for (int channel = 0; channel < CHANNELS; channel++)
            held[moment][channel] = load_some(sums + (moment * CHANNELS + channel) * plane, count);
    for (int image = 0; image < n; image++, colours += stride) {
        vec red = load_some(colours, count), green = load_some(colours + plane, count);
        vec blue = load_some(colours + 2 * plane, count);
        vec values[CHANNELS] = {red * weights[0] + green * weights[1] + blue * weights[2], red, green, blue};
        for (int channel = 0; channel < CHANNELS; channel++) {
            vec log = logarithm(at_least(values[channel] * values[channel], least)) - near[1][channel];
            vec value = values[channel] - near[0][channel];
            held[0][channel] += value;
            held[1][channel] += value * value;
            held[2][channel] += log;
            held[3][channel] += log * log;
        }
    }
    for (int moment = 0; moment < MOMENTS; moment++)
        for (int channel = 0; channel < CHANNELS; channel++)
            store_some(sums + (moment * CHANNELS + channel) * plane, held[moment][channel], count);
}

/* Add the coefficients of n images to sums of four moments: of grey, a weighted sum of the colours, and of each colour.
   Moments are about a pilot: where images have much in common, what they differ by would be lost from sums of squares.

   colours   n x 3 x plane, images `stride` numbers apart
   weights   of red, green and blue in grey
   least     squares are taken to be no less before their logarithm; a normal number
   pilot     2 kinds x 4 channels x plane; about what coefficients and logarithms are
   sums      4 moments x 4 channels x plane */
void EXPORTED(add_moments)(const float *colours, int n, ptrdiff_t stride, ptrdiff_t plane, const float *weights,
                           float least, const float *pilot, float *sums) {
    ptrdiff_t at = 0;
    for (; at + LANES <= plane; at += LANES)
        add_moments_at(colours + at, n, stride, plane, weights, least, pilot + at, sums + at, LANES);
    if (at < plane)
        add_moments_at(colours + at, n, stride, plane, weights, least, pilot + at, sums + at, (int)(plane - at));
}

/* ---- About the library ------------------------------------------------------------------------------------------- */

#if defined(BASE) /* once in the library */
/* Name the fastest of the instruction sets for which this library has functions. */
__attribute__((visibility("default"))) const char *instruction_set(void) {
#if defined(__x86_64__)
    __builtin_cpu_init();
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
        __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("fma"))
        return "avx512";
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) return "avx2";
#endif
    return "base";
}
#endif

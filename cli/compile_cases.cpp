#include "cli/compile_cases.h"

namespace dvmsim {
namespace {

using enum CompileCase::Kind;

const CompileCase kCases[] = {
    {Vector,
     "add",
     "dim n, m\ninput x: f16[n, m]\ninput y: f16[n, m]\na = add(x, y)\noutput a\n",
     {{32, 1024}, {512, 511}, {1000, 1025}, {8, 32000}, {4000, 500}}},
    {Vector,
     "mul add",
     "dim n\ninput x: f32[n, 500]\ninput y: f32[n, 500]\na = mul(x, y)\nb = add(a, y)\noutput "
     "b\n",
     {{1024}, {17}, {513}, {3000}, {100000}}},
    {Vector,
     "div log mul, two results",
     "dim n\ninput x: f32[n, 32000]\ninput y: f32[n, 32000]\na = div(x, y)\nb = log(a)\n"
     "c = mul(b, x)\noutput b\noutput c\n",
     {{8}, {3}, {64}, {100}}},
    {Vector,
     "ten elementwise operators",
     "dim n\ninput x: f16[n, 1024]\ninput y: f16[n, 1024]\na = add(x, y)\nb = mul(a, x)\n"
     "c = exp(b)\nd = sub(c, y)\ne = abs(d)\nf = sqrt(e)\ng = mul(f, a)\nh = max(g, y)\n"
     "i = relu(h)\nj = add(i, x)\noutput j\n",
     {{1000}, {31}, {5000}, {129}, {2048}}},
    {Vector,
     "gelu f16",
     "dim n\ninput x: f16[n, 1024]\na = gelu(x)\noutput a\n",
     {{32}, {1000}, {77}, {4096}}},
    {Vector,
     "gelu f32",
     "dim n\ninput x: f32[n, 1024]\na = gelu(x)\noutput a\n",
     {{32}, {1000}, {77}, {4096}}},
    {Vector,
     "silu times gate",
     "dim n\ninput x: f16[n, 11008]\ninput g: f16[n, 11008]\na = silu(g)\nb = mul(a, x)\n"
     "output b\n",
     {{1}, {16}, {333}, {2048}}},
    {Vector,
     "row broadcast",
     "dim n, m\ninput x: f16[1, m]\ninput y: f16[n, m]\na = add(x, y)\noutput a\n",
     {{512, 1024}, {512, 1023}, {77, 4000}}},
    {Vector,
     "column broadcast",
     "dim n, m\ninput x: f16[n, 39, 1]\ninput y: f16[n, 39, m]\na = mul(x, y)\noutput a\n",
     {{16000, 80}, {500, 81}, {33, 129}}},
    {Vector,
     "channel broadcast",
     "dim h, w\ninput x: f16[1, 1280, h, w]\ninput b: f16[1280, 1, 1]\na = add(x, b)\noutput a\n",
     {{28, 36}, {31, 89}, {14, 15}}},
    {Vector,
     "select of a comparison",
     "dim n\ninput x: f32[n, 1000]\ninput y: f32[n, 1000]\nm = gt(x, y)\na = select(m, x, y)\n"
     "output a\n",
     {{32}, {511}, {3000}}},
    {Vector,
     "row sum",
     "dim n\ninput x: f32[n, 1024]\na = reduce_sum(x) {axes=[1]}\noutput a\n",
     {{511}, {521}, {64}, {3000}}},
    {Vector,
     "softmax",
     "dim n, m\ninput x: f16[n, m]\na = softmax(x)\noutput a\n",
     {{10, 4096}, {33, 1000}, {3000, 77}, {128, 2047}}},
    {Vector,
     "layer norm",
     "dim n\ninput x: f16[n, 768]\ninput g: f16[768]\ninput b: f16[768]\n"
     "a = layer_norm(x, g, b)\noutput a\n",
     {{32}, {333}, {2047}, {8192}}},
    {Vector,
     "rms norm bf16",
     "dim n\ninput x: bf16[1, n, 5120]\ninput g: bf16[5120]\na = rms_norm(x, g)\noutput a\n",
     {{2048}, {33}, {500}}},
    {Vector,
     "add cast square sum",
     "dim n\ninput x: f16[1, n, 4096]\ninput y: f16[1, n, 4096]\na = add(x, y)\n"
     "b = cast(a) {to=f32}\nc = mul(b, b)\nd = reduce_sum(c) {axes=[2]}\noutput d\n",
     {{2685}, {2686}, {2687}, {100}}},
    {Product,
     "matmul",
     "dim m\ninput a: f16[m, 1024]\ninput b: f16[1024, 1024]\nc = matmul(a, b)\noutput c\n",
     {{1000}, {16}, {128}, {4096}, {333}}},
    {Product,
     "matmul, all sizes",
     "dim m, n, k\ninput a: f16[m, k]\ninput b: f16[k, n]\nc = matmul(a, b)\noutput c\n",
     {{512, 1024, 768}, {2048, 5120, 4096}, {64, 4096, 1024}, {1024, 256, 3072}}},
    {Product,
     "matmul, odd rows",
     "dim m, n, k\ninput a: f16[m, k]\ninput b: f16[k, n]\nc = matmul(a, b)\noutput c\n",
     {{211, 230, 213}, {123, 777, 119}, {127, 129, 255}}},
    {Product,
     "batched matmul",
     "dim s\ninput q: f16[2, 12, s, 64]\ninput k: f16[2, 12, s, 64]\n"
     "a = matmul(q, k) {trans_b=1}\noutput a\n",
     {{256}, {128}, {500}, {1024}}},
    {Product,
     "matmul, add, abs",
     "dim m\ninput a: f16[m, 1024]\ninput b: f16[1024, 512]\ninput y: f16[m, 512]\n"
     "c = matmul(a, b)\nd = add(c, y)\ne = abs(d)\noutput e\n",
     {{768}, {100}, {2000}}},
    {Product,
     "matmul, bias row, gelu",
     "dim m\ninput a: f16[m, 768]\ninput b: f16[768, 3072]\ninput y: f16[3072]\n"
     "c = matmul(a, b)\nd = add(c, y)\ne = gelu(d)\noutput e\n",
     {{512}, {100}, {2000}}}};

}  // namespace

std::span<const CompileCase> compile_cases() {
  return kCases;
}

}  // namespace dvmsim

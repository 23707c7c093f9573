// The meanings, one function per instruction, and what they share. exec.cpp has the table of them.
#pragma once

#include "vm/exec/frame.h"

namespace dvmsim::exec {

using Meaning = void (*)(Frame&);

// move.cpp
void load(Frame&);
void loadnd(Frame&);
void loadl1(Frame&);
void store(Frame&);
void storend(Frame&);
// fractal.cpp
void loadnz(Frame&);
void l0a(Frame&);
void l0b(Frame&);
void ldbt(Frame&);
// windows.cpp
void loadfm(Frame&);
void img2col(Frame&);
// cube.cpp, fix.cpp
void mmad(Frame&);
void fix(Frame&);
void ldfb(Frame&);
void fixq(Frame&);
void fixnz(Frame&);
// binary.cpp: two sources, or one and a scalar
template <isa::Op op>
void binary(Frame&);
template <isa::Op op>
void with_scalar(Frame&);
// unary.cpp
template <isa::Op op>
void unary(Frame&);
// compare.cpp, shape.cpp, convert.cpp, reduce.cpp, scan.cpp, order.cpp
void vcmp(Frame&);
void vcmps(Frame&);
void vsel(Frame&);
void vcopy(Frame&);
void vdup(Frame&);
void vbrc(Frame&);
void vtrans(Frame&);
void vcvt(Frame&);
void vredx(Frame&);
void vredy(Frame&);
void vscanx(Frame&);
void vscany(Frame&);
void vgather(Frame&);
void vsort(Frame&);

}  // namespace dvmsim::exec

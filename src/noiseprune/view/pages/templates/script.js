// The slider of a sweep: shows the precomputed picture of the density that is chosen.
"use strict";
const frames = JSON.parse(document.getElementById("frames").textContent);
const method = document.getElementById("method");
const density = document.getElementById("density");
const dots = document.getElementById("slider-dots");
const after = document.getElementById("after");
const said = document.getElementById("said");

function offered() {
  return frames.filter((frame) => frame.method === method.value);
}

function show() {
  const frame = offered()[density.value];
  density.setAttribute("aria-valuetext", "density " + frame.density);
  if (dots) dots.setAttribute("d", frame.dots);
  after.src = frame.image;
  after.alt = "Weights after pruning. " + frame.said;
  said.textContent = frame.said;
}

// choosing a method keeps the density where the other method has it too
function choose(wanted) {
  const choices = offered();
  density.max = choices.length - 1;
  const found = choices.findIndex((frame) => frame.density === wanted);
  density.value = found < 0 ? choices.length - 1 : found;
  show();
}

let current = (frames.find((frame) => frame.recommended) || offered()[0]).density;
density.addEventListener("input", () => { current = offered()[density.value].density; show(); });
method.addEventListener("change", () => choose(current));
choose(current);

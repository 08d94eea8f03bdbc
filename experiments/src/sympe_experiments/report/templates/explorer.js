// Show what was drawn at the point of the diagram under the pointer, or where arrow keys led.
for (const figure of document.querySelectorAll(".explorer")) {
  const points = +figure.dataset.points, phases = figure.dataset.phases.split("|");
  const plane = figure.querySelector(".plane"), mark = plane.querySelector("i");
  let column = Math.floor(0.75 * points), row = Math.floor(0.75 * points);
  const clip = value => Math.min(Math.max(value, 0), points - 1);
  const show = () => {
    mark.style.cssText = `left: ${100 * column / points}%; top: ${100 * row / points}%; width: ${100 / points}%; height: ${100 / points}%`;
    for (const spins of figure.querySelectorAll(".spins"))
      spins.style.backgroundPosition = `${100 * column / (points - 1)}% ${100 * row / (points - 1)}%`;
    const coupling = k => ((2 * k + 1 - points) / points).toFixed(3);
    figure.querySelector("output").textContent =
      `Jx = ${coupling(column)}, Jy = ${coupling(points - 1 - row)}: ${phases[row * points + column]}`;
  };
  const point = event => {
    const box = plane.getBoundingClientRect();
    column = clip(Math.floor(points * (event.clientX - box.left) / box.width));
    row = clip(Math.floor(points * (event.clientY - box.top) / box.height));
    show();
  };
  plane.onpointermove = plane.onpointerdown = point;
  plane.onkeydown = event => {
    const step = {ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1]}[event.key];
    if (!step) return;
    event.preventDefault();
    column = clip(column + step[0]);
    row = clip(row + step[1]);
    show();
  };
  show();
}

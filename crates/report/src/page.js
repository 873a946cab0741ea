// Shows what a piece of a lane was. Without this, its title does.
(() => {
  const detail = document.getElementById('detail');
  if (!detail) return;
  let chosen = null;

  const choose = (piece) => {
    if (chosen) chosen.classList.remove('chosen');
    chosen = piece;
    detail.hidden = !piece;
    if (!piece) return;
    piece.classList.add('chosen');
    detail.textContent = piece.querySelector('title').textContent;
  };

  // A finger is wider than a piece: the nearest one within reach.
  const nearest = (lane, { clientX: x, clientY: y, pointerType }) => {
    let best = null, least = pointerType === 'touch' ? 24 : 14;
    for (const piece of lane.querySelectorAll('.piece')) {
      const box = piece.getBoundingClientRect();
      const off = (from, to, at) => Math.max(from - at, at - to, 0);
      // A stall lies over what the loop was at, and says more.
      const bonus = piece.classList.contains('stall') ? 0.5 : 0;
      const far = Math.hypot(off(box.left, box.right, x), 2 * off(box.top, box.bottom, y)) - bonus;
      if (far < least) { least = far; best = piece; }
    }
    return best;
  };

  for (const lane of document.querySelectorAll('.lane')) {
    const at = (event) => choose(nearest(lane, event));
    lane.addEventListener('pointermove', at);
    lane.addEventListener('click', at);
    lane.addEventListener('pointerleave', (event) => {
      // A finger that is lifted leaves, too, and its answer is to stay.
      if (event.pointerType === 'mouse') choose(null);
    });
    lane.addEventListener('keydown', (event) => {
      const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
      if (event.key === 'Escape') choose(null);
      if (!step) return;
      event.preventDefault();
      const pieces = [...lane.querySelectorAll('.piece')];
      const next = pieces.indexOf(chosen) + step;
      choose(pieces[Math.min(Math.max(next, 0), pieces.length - 1)] ?? null);
    });
    lane.addEventListener('blur', () => choose(null));
  }
  document.addEventListener('click', (event) => {
    if (!event.target.closest('.lane')) choose(null);
  });

  // Paper has no folds.
  let folded = [];
  addEventListener('beforeprint', () => {
    folded = [...document.querySelectorAll('details:not([open])')];
    for (const it of folded) it.open = true;
  });
  addEventListener('afterprint', () => { for (const it of folded) it.open = false; });
})();

// Lets a long name in a text be broken behind one of its words, and keeps what is
// short in one piece: `docs/css/book.css` has the style for it. The name itself
// stays what it is, to be searched for and to be copied. Without this script it
// is broken where a line ends.
{
  const LONG = 16;
  // At least four letters stand alone, at both ends.
  const PARTS = /.{3,}?(?:[_/(,](?=.{4})|(?<=\w)-(?=\w{4})|::(?=.{4})|(?=\.[a-z].{3}))|.+/g;

  const span = (className, textContent) =>
    Object.assign(document.createElement("span"), { className, textContent });
  const parts = name =>
    name.match(PARTS).flatMap((part, at) => at ? [span("wb", ""), part] : [part]);

  for (const code of document.querySelectorAll("main :not(pre) > code")) {
    const text = code.textContent;
    if (text.length <= LONG || code.closest("h1, h2, h3, h4, h5, h6")) continue;
    code.classList.add("long");
    // A browser would break `--debug` behind its hyphens.
    const words = text.split(/(\s+)/).filter(word => word);
    code.replaceChildren(...words.flatMap(word =>
      !word.trim() ? [" "] : word.length <= LONG ? [span("short", word)] : parts(word)));
  }
}

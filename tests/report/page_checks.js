// What is asked of the page, as functions that return what is wrong: lists of texts. Loaded into the page by browser_check.py.
({
  openAll() {
    for (const details of document.querySelectorAll("details")) details.open = true;
  },

  // Nothing wider than the window, and wide tables in containers that scroll.
  overflow() {
    const wrong = [];
    const width = document.documentElement.clientWidth;
    if (document.documentElement.scrollWidth > width) wrong.push(`the page is ${document.documentElement.scrollWidth} px wide in a window of ${width} px`);
    for (const element of document.body.querySelectorAll("*")) {
      if (element.closest(".scroll") && !element.matches(".scroll")) continue;
      const box = element.getBoundingClientRect();
      if (box.width > 0 && (box.right > width + 0.5 || box.left < -0.5))
        wrong.push(`<${element.tagName.toLowerCase()} id="${element.id}" class="${element.getAttribute("class") || ""}"> reaches from ${box.left.toFixed(0)} to ${box.right.toFixed(0)} px of ${width}`);
    }
    for (const table of document.querySelectorAll("table"))
      if (!table.closest(".scroll")) wrong.push(`the table "${table.getAttribute("aria-label")}" does not stand in a container that scrolls`);
    return wrong;
  },

  // Texts at the least size that a phone's reader can take, in CSS pixels.
  smallText(least) {
    const wrong = new Set();
    for (const text of document.querySelectorAll("svg.plot text")) {
      const scale = text.getScreenCTM().a || Math.hypot(text.getScreenCTM().a, text.getScreenCTM().b);
      const size = parseFloat(getComputedStyle(text).fontSize) * Math.hypot(text.getScreenCTM().a, text.getScreenCTM().b);
      if (scale && size < least) wrong.add(`text of ${size.toFixed(1)} px in ${text.closest("figure")?.id}`);
    }
    return [...wrong];
  },

  // Texts of a plot that leave it.
  clippedText() {
    const wrong = [];
    for (const svg of document.querySelectorAll("figure svg.plot:not(.key)")) {
      const frame = svg.getBoundingClientRect();
      for (const text of svg.querySelectorAll("text")) {
        const box = text.getBoundingClientRect();
        if (box.left < frame.left - 3 || box.right > frame.right + 3 || box.top < frame.top - 3 || box.bottom > frame.bottom + 3)
          wrong.push(`"${text.textContent}" leaves the plot of ${svg.closest("figure").id}`);
      }
    }
    return wrong;
  },

  // Every plot has a title, a description and a table; every table has heads; ids are unique.
  structure() {
    const wrong = [];
    const seen = new Set();
    for (const { id } of document.querySelectorAll("[id]")) {
      if (seen.has(id)) wrong.push(`the id ${id} is used twice`);
      seen.add(id);
    }
    for (const figure of document.querySelectorAll("figure")) {
      const svg = figure.querySelector("svg[role=img]");
      if (!svg) { wrong.push(`${figure.id} has no plot`); continue; }
      for (const name of ["title", "desc"])
        if (!svg.querySelector(`:scope > ${name}`)?.textContent.trim()) wrong.push(`the plot of ${figure.id} has no ${name}`);
      for (const id of (svg.getAttribute("aria-labelledby") || "").split(" "))
        if (!document.getElementById(id)) wrong.push(`the plot of ${figure.id} is labelled by ${id}, which is nowhere`);
      if (!svg.querySelector("circle, rect.solid, rect.shade, path, polyline")) wrong.push(`the plot of ${figure.id} draws nothing`);
      if (!figure.querySelector("details table tbody tr")) wrong.push(`${figure.id} has no data in a table`);
    }
    for (const table of document.querySelectorAll("table"))
      if (!table.querySelector("thead th[scope=col]") || !table.querySelector("tbody th[scope=row]")) wrong.push(`the table "${table.getAttribute("aria-label")}" has no heads`);
    for (const image of document.querySelectorAll("img"))
      if (!image.alt || !image.complete || image.naturalWidth === 0) wrong.push(`the image "${image.alt}" is not shown or has no text`);
    for (const link of document.querySelectorAll("a[href^='#']"))
      if (!document.getElementById(link.getAttribute("href").slice(1))) wrong.push(`the link ${link.getAttribute("href")} leads nowhere`);
    return wrong;
  },

  // Contrast of every text with what is behind it, by WCAG's formula; all of the page must be in the window.
  contrast(least) {
    const canvas = Object.assign(document.createElement("canvas"), { width: 1, height: 1 }).getContext("2d", { willReadFrequently: true });
    const cache = new Map();
    const parse = (colour) => {
      if (!cache.has(colour)) {
        canvas.clearRect(0, 0, 1, 1);
        canvas.fillStyle = colour;
        canvas.fillRect(0, 0, 1, 1);
        const [r, g, b, a] = canvas.getImageData(0, 0, 1, 1).data;
        cache.set(colour, [r, g, b, a / 255]);
      }
      return cache.get(colour);
    };
    const over = ([r, g, b, a], ground) => [r, g, b].map((v, i) => v * a + ground[i] * (1 - a));
    const luminance = (rgb) => {
      const [r, g, b] = rgb.map((v) => (v / 255 <= 0.04045 ? v / 255 / 12.92 : ((v / 255 + 0.055) / 1.055) ** 2.4));
      return 0.2126 * r + 0.7152 * g + 0.0722 * b;
    };
    const ground = (element) => {
      const layers = [];
      for (let e = element; e; e = e.parentElement) layers.push(parse(getComputedStyle(e).backgroundColor));
      return layers.reverse().reduce((below, layer) => over(layer, below), [255, 255, 255]);
    };
    // Shapes that a plot's text stands on: what is drawn in front of others comes last in the document.
    const shapes = (text) => {
      const box = text.getBoundingClientRect();
      const x = (box.left + box.right) / 2, y = (box.top + box.bottom) / 2;
      return [...text.ownerSVGElement.querySelectorAll("rect, circle")].filter((shape) => {
        const b = shape.getBoundingClientRect();
        return shape.compareDocumentPosition(text) & Node.DOCUMENT_POSITION_FOLLOWING && b.left <= x && x <= b.right && b.top <= y && y <= b.bottom;
      });
    };
    const wrong = new Set();
    let checked = 0;
    const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    while (walker.nextNode()) {
      const element = walker.currentNode.parentElement;
      if (!walker.currentNode.textContent.trim() || element.closest("title, desc, style, script")) continue;
      if (!element.checkVisibility({ contentVisibilityAuto: true, opacityProperty: true, visibilityProperty: true })) continue;
      const style = getComputedStyle(element);
      const in_plot = element instanceof SVGElement;
      let behind = ground(element);
      if (in_plot)
        for (const shape of shapes(element)) {
          const s = getComputedStyle(shape);
          const fill = parse(s.fill);
          behind = over([fill[0], fill[1], fill[2], fill[3] * s.fillOpacity * s.opacity], behind);
        }
      const ink = luminance(over(parse(in_plot ? style.fill : style.color), behind)), paper = luminance(behind);
      const ratio = (Math.max(ink, paper) + 0.05) / (Math.min(ink, paper) + 0.05);
      ++checked;
      if (ratio < least) wrong.add(`"${walker.currentNode.textContent.trim().slice(0, 30)}" has a contrast of ${ratio.toFixed(2)}`);
    }
    return { checked, ground: luminance(ground(document.body)), wrong: [...wrong] };
  },
})

// Creates elements from plain text. No code parses markup, so text from GitHub's users stays text.

function element(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (key.startsWith('on')) made.addEventListener(key.slice(2), value);
    else if (value === true) made.setAttribute(key, '');
    else if (value !== null && value !== undefined && value !== false) made.setAttribute(key, value);
  }
  made.append(...children.flat().filter(child => child !== null && child !== undefined));
  return made;
}

function drawing(name, attributes = {}, ...children) {
  const made = document.createElementNS('http://www.w3.org/2000/svg', name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...children);
  return made;
}

// Isolated, so that right-to-left text cannot reorder the text around it.
function foreign(text) {
  return element('bdi', {}, text);
}

// A repository's owner/name, which may break after the owner.
function fullName(text) {
  const [owner, ...rest] = text.split('/');
  return rest.length ? element('bdi', { class: 'name' }, `${owner}/`, element('span', {}, rest.join('/'))) : foreign(text);
}

function byId(id) {
  return document.getElementById(id);
}

function fill(id, ...children) {
  byId(id).replaceChildren(...children.flat().filter(child => child !== null && child !== undefined));
}

function empty(text) {
  return element('p', { class: 'empty' }, text);
}

// Radio buttons, which arrow keys work on too.
function segments(id, options, chosen, choose) {
  const legend = byId(id).querySelector('legend');
  const isFocused = byId(id).contains(document.activeElement);
  byId(id).replaceChildren(legend, ...options.map(([value, label]) => element('label', {},
    element('input', { type: 'radio', name: id, value, checked: value === chosen, onchange: () => choose(value) }), label)));
  if (isFocused) byId(id).querySelector(':checked').focus();
}

function login(name, isBot) {
  return [foreign(name ?? 'deleted account'), isBot ? element('span', { class: 'badge' }, 'bot') : null];
}

// The page in the browser: fields, buttons and reports. What comes from a card is only ever set as text.

const SVG = {undo: "↶", redo: "↷"}
let ids = 0

function make(tag, settings = {}, ...children) {
  const one = document.createElement(tag)
  for (const [key, value] of Object.entries(settings)) {
    if (value === undefined || value === null || value === false) continue
    if (key === "class") one.className = value
    else if (key.startsWith("on")) one.addEventListener(key.slice(2), value)
    else one.setAttribute(key, value === true ? "" : String(value))
  }
  one.append(...children.filter((child) => child !== null && child !== undefined))
  return one
}

// [[text, "sub" | "sup" | ""], ...] as elements
function formula(parts) {
  const one = document.createElement("span")
  for (const [text, place] of parts || []) one.append(place ? make(place, {}, text) : text)
  return one
}

const plain = (parts) => parts.map(([text]) => text).join("")

function debounced(send) {
  let waiting = false
  let last = null
  return (message) => {
    last = message
    if (waiting) return
    waiting = true
    setTimeout(() => { waiting = false; send(last) }, 40)
  }
}

const STEPS = 1000

function toValue(field, position) {
  const share = position / STEPS
  if (share === 0 && field.zero) return 0
  return field.log ? field.low * Math.pow(field.high / field.low, share) : field.low + (field.high - field.low) * share
}

function toPosition(field, value) {
  if (typeof value !== "number") return null
  if (value <= field.low) return 0
  const share = field.log ? Math.log(value / field.low) / Math.log(field.high / field.low)
                          : (value - field.low) / (field.high - field.low)
  return Number.isFinite(share) ? Math.round(STEPS * Math.min(1, Math.max(0, share))) : null
}

export function render({model, view, el: home}) {
  let number = 0      // of messages that change something
  let gesture = 0     // what is undone at once
  const changed = new Map()  // key -> number of the message that last changed it
  const tell = (message) => { model.send_msg(message); waits() }
  const change = (key, message) => {
    number += 1
    changed.set(key, number)
    tell({what: "set", key, number, gesture, ...message})
  }

  // ---- fields
  const rows = new Map()
  const groups = new Map()
  const form = make("form", {class: "fields", "aria-label": "The experiment", autocomplete: "off", onsubmit: (e) => e.preventDefault()})

  function row(field) {
    const id = `f${ids += 1}`
    const fault = make("p", {class: "fault", id: `${id}-fault`, role: "alert", hidden: true})
    const label = make("label", {for: id, title: field.meaning}, formula(field.label))
    const name = plain(field.label)
    const one = {field, fault, setters: []}
    const described = {"aria-describedby": `${id}-fault`, "data-key": field.key, title: field.meaning}
    const send = debounced((message) => change(field.key, message))
    const begin = () => { gesture += 1 }
    if (field.kind === "choice") {
      const select = make("select", {id, ...described, onchange: () => { begin(); change(field.key, {text: select.value}) }})
      for (const choice of field.choices) select.append(make("option", {value: choice}, choice === "" ? "–" : choice))
      one.setters.push((value) => {
        if (![...select.options].some((option) => option.value === value.text)) select.append(make("option", {value: value.text}, value.text))
        select.value = value.text
      })
      one.el = make("div", {class: "row"}, label, select, fault)
    } else if (field.kind === "flag") {
      const box = make("input", {type: "checkbox", id, ...described, onchange: () => { begin(); change(field.key, {flag: box.checked}) }})
      one.setters.push((value) => { box.checked = value.flag === true })
      one.el = make("div", {class: "row flag"}, label, box, fault)
    } else if (field.kind === "several") {
      const box = make("fieldset", {class: "several", id, ...described}, make("legend", {title: field.meaning}, formula(field.label)))
      const boxes = field.choices.map((choice) => {
        const input = make("input", {type: "checkbox", value: choice, "data-key": field.key, onchange: () => {
          begin()
          change(field.key, {several: boxes.filter((b) => b.checked).map((b) => b.value)})
        }})
        box.append(make("label", {}, input, choice))
        return input
      })
      one.setters.push((value) => { for (const b of boxes) b.checked = (value.several || []).includes(b.value) })
      one.el = make("div", {class: "row wide"}, box, fault)
    } else {
      const text = make("input", {
        type: "text", id, ...described, spellcheck: "false", inputmode: "text", placeholder: field.placeholder,
        onchange: () => { begin(); change(field.key, {text: text.value}) },
        onkeydown: (e) => { if (e.key === "Enter") { e.preventDefault(); text.blur(); text.focus() } },
      })
      one.setters.push((value) => { text.value = value.text })
      let slider = null
      if (field.low !== null && field.high !== null) {
        slider = make("input", {
          type: "range", min: 0, max: STEPS, step: 1, "aria-label": name, "data-key": field.key, title: field.meaning,
          onpointerdown: begin, onkeydown: (e) => { if (!e.repeat) begin() },
          oninput: () => send({position: toValue(field, Number(slider.value))}),
        })
        one.setters.push((value) => {
          const position = toPosition(field, value.number)
          slider.classList.toggle("unset", position === null)
          if (position !== null && slider.value !== String(position)) slider.value = position
          slider.setAttribute("aria-valuetext", value.text)
        })
      }
      one.el = make("div", {class: slider ? "row slid" : "row"}, label, text, slider, fault)
    }
    one.el.dataset.key = field.key
    return one
  }

  function layFields() {
    const wanted = new Map()
    for (const field of model.fields) {
      if (!wanted.has(field.group)) wanted.set(field.group, [])
      wanted.get(field.group).push(field)
    }
    for (const [name, group] of [...groups]) if (!wanted.has(name)) { group.el.remove(); groups.delete(name) }
    const kept = new Set()
    for (const [name, fields] of wanted) {
      if (!groups.has(name)) {
        const place = make("div", {class: "rows"})
        const layer = /^layer (\d+)$/.exec(name)
        const tools = layer ? make("div", {class: "tools"},
          make("button", {type: "button", onclick: () => { gesture += 1; tell({what: "add layer", at: Number(layer[1])}) }}, "add a layer behind"),
          make("button", {type: "button", onclick: () => { gesture += 1; tell({what: "remove layer", at: Number(layer[1]) - 1}) }}, "remove")) : null
        const opened = model.opened.includes(name) && (name === "beam" || home.clientWidth > 720 || home.clientWidth === 0)
        const el = make("details", {open: opened, "data-group": name}, make("summary", {}, name), place, tools)
        groups.set(name, {el, place})
      }
      const {el, place} = groups.get(name)
      form.append(el)
      fields.forEach((field, i) => {
        const signature = JSON.stringify(field)
        let one = rows.get(field.key)
        if (!one || one.signature !== signature) {
          if (one) one.el.remove()
          one = row(field)
          one.signature = signature
          rows.set(field.key, one)
        }
        kept.add(field.key)
        if (place.children[i] !== one.el) place.insertBefore(one.el, place.children[i] || null)
      })
      while (place.children.length > fields.length) place.lastChild.remove()
    }
    for (const key of [...rows.keys()]) if (!kept.has(key)) rows.delete(key)
    setValues()
  }

  const root = home.getRootNode()
  function setValues() {
    const {values, faults, number: known} = model.state
    const loose = []
    for (const [key, one] of rows) {
      const value = values[key]
      const isNewer = (changed.get(key) || 0) > known
      if (value && !isNewer) for (const set of one.setters) set(value)
      const message = faults[key]
      one.fault.textContent = message || ""
      one.fault.hidden = !message
      one.el.classList.toggle("wrong", Boolean(message))
      for (const input of one.el.querySelectorAll("input, select")) {
        if (message) input.setAttribute("aria-invalid", "true")
        else input.removeAttribute("aria-invalid")
      }
    }
    for (const [key, message] of Object.entries(faults)) if (!rows.has(key)) loose.push(key ? `${key}: ${message}` : message)
    for (const [name, {el: group}] of groups) {
      const wrong = group.querySelector(".row.wrong") !== null
      group.classList.toggle("wrong", wrong)
      if (wrong) group.open = true
    }
    stray.textContent = loose.join("\n")
    stray.hidden = loose.length === 0
    card.textContent = model.state.name
    undo.disabled = !model.state.can_undo
    redo.disabled = !model.state.can_redo
    pin.textContent = model.state.is_pinned ? "Unpin" : "Pin"
    pin.setAttribute("aria-pressed", String(model.state.is_pinned))
    back.hidden = !model.state.is_pinned
    command.textContent = model.state.command
    text.value = root.activeElement === text ? text.value : model.state.card_text
    if (model.in_window && model.state.token) history.replaceState(null, "", `?s=${model.state.token}`)
  }

  // ---- head
  const card = make("strong", {class: "name"})
  const undo = make("button", {type: "button", title: "Undo (Ctrl+Z)", "data-do": "undo", onclick: () => tell({what: "undo"})}, `${SVG.undo} Undo`)
  const redo = make("button", {type: "button", title: "Redo (Ctrl+Y)", "data-do": "redo", onclick: () => tell({what: "redo"})}, `${SVG.redo} Redo`)
  const pin = make("button", {type: "button", title: "Keep this contour to compare with", "data-do": "pin", onclick: () => tell({what: "pin"})}, "Pin")
  const back = make("button", {type: "button", title: "Go back to the pinned set-up", "data-do": "back", hidden: true, onclick: () => tell({what: "back"})}, "To the pinned")
  const link = make("button", {type: "button", title: "Copy an address that holds this state", "data-do": "link", onclick: () => copy(location.href, link)}, "Copy link")
  const file = make("input", {type: "file", accept: ".toml,.json", hidden: true, onchange: async () => {
    const one = file.files[0]
    if (!one) return
    if (one.size > 2e6) tell({what: "too long", name: one.name})
    else tell({what: "open", name: one.name, text: await one.text()})
    file.value = ""
  }})
  const open = make("button", {type: "button", title: "Open a card (.toml) or a kept state (.json)", "data-do": "open", onclick: () => file.click()}, "Open …")
  async function copy(what, button) {
    const before = button.textContent
    try {
      await navigator.clipboard.writeText(what)
      button.textContent = "Copied"
    } catch {
      const place = make("textarea", {}, what)
      home.append(place)
      place.select()
      button.textContent = document.execCommand("copy") ? "Copied" : "Not copied"
      place.remove()
    }
    setTimeout(() => { button.textContent = before }, 1200)
  }
  const stray = make("p", {class: "fault stray", role: "alert", hidden: true})
  const status = make("p", {class: "status", role: "status", "aria-live": "polite"})
  const alone = make("p", {class: "hint alone", hidden: true}, "Nothing answers: this is how the page was. Run its cell of the notebook to move it.")
  const notes = make("ul", {class: "notes", hidden: true})
  const head = make("header", {}, make("span", {class: "title"}, "mcgen explore "), card,
    make("div", {class: "tools"}, undo, redo, pin, back, model.in_window ? link : null, open, file))

  // ---- figures
  function place(name, title) {
    const y = make("div", {class: "y"})
    const x = make("div", {class: "x"})
    const inner = make("div", {class: "canvas"}, model.get_child(name))
    const caption = make("figcaption", {}, title)
    const one = make("figure", {class: `plot ${name}`, "data-figure": name, role: "group", "aria-label": title},
      caption, make("div", {class: "frame"}, y, inner), x)
    return {el: one, x, y, caption}
  }
  const places = {
    contour: place("contour", "What is excluded"),
    events: place("events", "Signal events"),
    spectrum: place("spectrum", "Energy of S"),
    angle: place("angle", "Angle of S"),
    layout: place("layout", "The set-up"),
  }
  const legend = make("ul", {class: "legend", "aria-label": "Lines of the figure"})
  places.contour.el.append(legend)

  function setFigures() {
    for (const [name, one] of Object.entries(places)) {
      const words = model.words[name]
      if (!words) continue
      one.x.replaceChildren(formula(words.x))
      one.y.replaceChildren(formula(words.y))
      one.caption.replaceChildren(formula(words.title))
      one.el.setAttribute("aria-label", plain(words.title))
    }
    legend.replaceChildren(...model.legend.map((entry) => {
      const sample = make("span", {class: `sample ${entry.dash}`})
      sample.style.setProperty("--line", entry.color)
      return make("li", {}, sample, entry.text)
    }))
  }

  function setStatus() {
    const {text: words, dim, warnings, busy} = model.status
    status.textContent = words
    status.classList.toggle("busy", Boolean(busy))
    notes.replaceChildren(...warnings.map((one) => make("li", {}, one)))
    notes.hidden = warnings.length === 0
    for (const [name, one] of Object.entries(places)) one.el.classList.toggle("dim", dim.includes(name))
    numbers.classList.toggle("dim", dim.includes("contour"))
    report.classList.toggle("dim", dim.includes("point"))
    main.setAttribute("aria-busy", String(Boolean(busy)))
  }

  // ---- in a notebook there may be no Python behind the page: it was saved, exported, or the kernel has ended
  let patience = null
  function waits() {
    if (!model.in_window && patience === null) patience = setTimeout(() => setAlone(true), 4000)
  }
  function hears() {
    clearTimeout(patience)
    patience = null
    setAlone(false)
  }
  function setAlone(isAlone) {
    alone.hidden = !isAlone
    main.classList.toggle("alone", isAlone)
    for (const one of [form, ...main.querySelectorAll(".tools")]) one.inert = isAlone
  }

  // ---- reports
  const report = make("section", {class: "point", "aria-label": "The boson at the marked place"})
  function setReport() {
    const {title, rows: lines, losses, branching, fault} = model.report
    report.replaceChildren(make("h2", {}, "At the marked place"))
    report.append(make("p", {class: "hint"}, "Tap a figure to move it."))
    if (title) report.append(make("p", {class: "at"}, formula(title)))
    if (fault) report.append(make("p", {class: "fault"}, fault))
    const table = (items, name) => make("table", {"aria-label": name}, make("tbody", {}, ...items.map(([what, value]) =>
      make("tr", {}, make("th", {scope: "row"}, formula(what)), make("td", {}, value)))))
    if (lines.length) report.append(table(lines, "Numbers"))
    if (losses.length) {
      report.append(make("h3", {}, "What each cut leaves"))
      report.append(make("ol", {class: "losses"}, ...losses.map(([name, left, share, events]) => {
        const bar = make("span", {class: "bar"})
        bar.style.setProperty("--share", `${Math.max(0, Math.min(100, 100 * left))}%`)
        return make("li", {}, make("span", {class: "cut"}, name), bar,
          make("span", {class: "value", title: "share that is left behind this cut"}, share), make("span", {class: "value", title: "events that are left"}, events))
      })))
    }
    if (branching.length) report.append(make("h3", {}, "Decays"), table(branching, "Branching"))
  }

  const numbers = make("section", {class: "numbers", "aria-label": "Numbers of the contour"})
  function setNumbers() {
    const {criterion, header, rows: lines} = model.numbers
    numbers.replaceChildren(make("p", {class: "criterion"}, criterion), make("div", {class: "scroll", tabindex: 0}, make("table", {},
      make("thead", {}, make("tr", {}, ...header.map((one) => make("th", {scope: "col"}, one)))),
      make("tbody", {}, ...lines.map((line) => make("tr", {}, ...line.map((one) => make("td", {}, one))))))))
  }

  // ---- what is taken away
  const command = make("code", {class: "command", tabindex: 0})
  const text = make("textarea", {class: "card", spellcheck: "false", "aria-label": "Text of the card", rows: 18,
    onchange: () => { gesture += 1; tell({what: "card", text: text.value}) }})
  const take = (kind, words) => make("button", {type: "button", "data-take": kind, onclick: () => tell({what: "take", kind, view: view.model.id})}, words)
  const copyCommand = make("button", {type: "button", onclick: () => copy(command.textContent, copyCommand)}, "Copy")
  const away = make("section", {class: "away", "aria-label": "To take away"},
    make("div", {class: "tools"}, take("card", "Card"), take("state", "State"), take("csv", "CSV"), take("hepdata", "HEPData"),
      take("png", "PNG"), take("pdf", "PDF"), take("svg", "SVG")),
    make("p", {class: "hint"}, "The same on the command line, with the card:"),
    make("div", {class: "line"}, command, copyCommand))
  const side = make("details", {class: "text"}, make("summary", {}, "Text of the card"), text)

  const small = make("div", {class: "small"}, ...["events", "spectrum", "angle", "layout"].map((name) => places[name].el))
  const middle = make("div", {class: "middle"}, places.contour.el)
  const below = make("div", {class: "below"}, make("details", {open: true, class: "group"}, make("summary", {}, "Numbers"), numbers))
  const right = make("aside", {class: "right"}, report, make("h2", {}, "Take away"), away)
  const main = make("main", {class: "explore"}, head, make("div", {class: "line status-line"}, status, alone), stray, notes,
    middle, right, make("div", {class: "left"}, form, side), small, below)

  main.addEventListener("keydown", (e) => {
    if (!(e.ctrlKey || e.metaKey) || ["text", "textarea"].includes(e.target.type)) return
    const key = e.key.toLowerCase()
    if (key === "z" && !e.shiftKey) { e.preventDefault(); tell({what: "undo"}) }
    else if (key === "y" || key === "z") { e.preventDefault(); tell({what: "redo"}) }
  })

  model.on("fields", layFields)
  model.on("state", () => { hears(); setValues() })
  model.on("status", () => { hears(); setStatus() })
  model.on("words", setFigures)
  model.on("legend", setFigures)
  model.on("report", setReport)
  model.on("numbers", setNumbers)
  model.on("msg:custom", (event) => {
    const message = event.data || event
    hears()
    if (message.what !== "file" || message.view !== view.model.id) return
    const bytes = Uint8Array.from(atob(message.content), (letter) => letter.charCodeAt(0))
    const url = URL.createObjectURL(new Blob([bytes], {type: "application/octet-stream"}))
    const anchor = make("a", {href: url, download: message.name})
    home.append(anchor)
    anchor.click()
    anchor.remove()
    setTimeout(() => URL.revokeObjectURL(url), 10000)
  })
  layFields()
  setStatus()
  setFigures()
  setReport()
  setNumbers()
  if (!model.in_window) tell({what: "there", view: view.model.id})
  return main
}

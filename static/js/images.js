// Images with a question: chosen, pasted, or dropped anywhere over the conversation. The form's file input holds them.
const MEGABYTE = 1_000_000
const composer = document.querySelector("[data-composer]")
const input = composer?.querySelector("[data-images]")
let files = []
let underWay = []

const limit = (name) => Number(input.dataset[name])
const megabytes = (bytes) => `${Math.round(bytes / (MEGABYTE / 10)) / 10} MB`
const sum = (all) => all.reduce((bytes, file) => bytes + file.size, 0)
const brings = (event) => event.dataTransfer?.types.includes("Files")

function whyNot(file) {
  if (!input.accept.split(",").includes(file.type)) return `${file.name} is no JPEG, PNG or WebP. Convert it first.`
  if (file.size > limit("largest"))
    return `${file.name} has ${megabytes(file.size)}; an image may have at most ${megabytes(limit("largest"))}.`
  if (files.length >= limit("most")) return `${file.name} was left out: a message may have at most ${limit("most")} images.`
  if (sum(files) + file.size > limit("mostBytes"))
    return `${file.name} was left out: together the images may have at most ${megabytes(limit("mostBytes"))}.`
}

function add(added) {
  const before = files.length
  const refused = []
  for (const file of added) {
    const reason = whyNot(file)
    if (reason) refused.push(reason)
    else files.push(file)
  }
  show(refused)
  if (files.length > before) announce()
}

function remove(file) {
  const place = files.indexOf(file)
  files.splice(place, 1)
  show()
  announce()
  const buttons = composer.querySelectorAll("[data-image-previews] button")
  ;(buttons[Math.min(place, buttons.length - 1)] ?? composer.elements.body).focus()
}

function announce() {
  const count = files.length === 1 ? "1 image" : `${files.length || "No"} images`
  document.getElementById("announcer").textContent = `${count} attached`
}

function show(refused = []) {
  const held = new DataTransfer()
  for (const file of files) held.items.add(file)
  input.files = held.files
  // For those who tell what sending would cost.
  input.dispatchEvent(new Event("input", { bubbles: true }))
  composer.querySelector("[data-image-previews]").replaceChildren(...files.map(preview))
  say(refused)
}

function preview(file) {
  const item = composer.querySelector("[data-image-template]").content.firstElementChild.cloneNode(true)
  const picture = item.querySelector("img")
  picture.addEventListener("load", () => URL.revokeObjectURL(picture.src))
  picture.src = URL.createObjectURL(file)
  item.querySelector("[data-image-name]").textContent = file.name
  const button = item.querySelector("button")
  button.setAttribute("aria-label", `Remove ${file.name}`)
  button.addEventListener("click", () => remove(file))
  return item
}

// What was refused, and that the chosen model would see nothing.
function say(refused = []) {
  const model = composer.querySelector("[name='model']:checked")
  const isBlind = files.length > 0 && model && "blind" in model.dataset
  const name = isBlind && model.closest(".option").querySelector(".option__name").textContent
  const sentences = isBlind ? [...refused, `${name} cannot see images. Choose another model, or remove them.`] : refused
  composer.querySelector("[data-image-note]").textContent = sentences.join(" ")
}

function watch() {
  const area = composer.closest("main")
  input.addEventListener("change", () => add(input.files))
  composer.querySelector("[data-attach]").addEventListener("click", () => input.click())
  composer.addEventListener("change", (event) => event.target.name === "model" && say())
  document.addEventListener("paste", (event) => {
    const { files: pasted, types } = event.clipboardData
    // What office programs copy has a picture of the text with it: then the text was meant.
    if (!pasted.length || types.includes("text/plain") || document.querySelector("dialog[open]")) return
    event.preventDefault()
    add(pasted)
  })
  area.addEventListener("dragover", (event) => {
    if (!brings(event)) return
    event.preventDefault()
    composer.dataset.dropping = ""
  })
  area.addEventListener("dragleave", (event) => {
    if (!area.contains(event.relatedTarget)) delete composer.dataset.dropping
  })
  area.addEventListener("drop", (event) => {
    if (!brings(event)) return
    event.preventDefault()
    delete composer.dataset.dropping
    add(event.dataTransfer.files)
    composer.elements.body.focus()
  })
  // What is added while a message is on its way belongs to the next one.
  composer.addEventListener("htmx:before:request", () => (underWay = [...files]))
  composer.addEventListener("parley:sent", () => {
    files = files.filter((file) => !underWay.includes(file))
    show()
  })
}

if (input) watch()

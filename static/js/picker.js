// The model picker: search, arrow keys, and a button that shows what was chosen.
const picker = document.querySelector("[data-picker]")

const options = () => [...picker.querySelectorAll(".option")]
const usable = () => options().filter((option) => !option.hidden && !option.control.disabled)

function search(words) {
  const wanted = words.toLowerCase().split(/\s+/)
  for (const option of options()) option.hidden = !wanted.every((word) => option.dataset.words.includes(word))
  for (const group of picker.querySelectorAll("[data-picker-group]"))
    group.hidden = !group.querySelector(".option:not([hidden])")
  picker.querySelector("[data-picker-none]").hidden = options().some((option) => !option.hidden)
}

function show(option) {
  const button = document.querySelector("[data-picker-button]")
  button.querySelector("[data-picker-label]").textContent = option.querySelector(".option__name").textContent
  button.querySelector("[data-picker-glyph]").replaceChildren(option.querySelector(".glyph").cloneNode(true))
}

function close() {
  picker.hidePopover()
  document.getElementById("body").focus()
}

function choose(option) {
  if (!option) return
  option.control.checked = true
  show(option)
  close()
}

function onKey(event) {
  const field = event.target
  if (event.key === "Enter") {
    event.preventDefault()
    choose(field.type === "search" ? usable()[0] : field.closest(".option"))
  } else if (event.key === "ArrowDown" && field.type === "search") {
    event.preventDefault()
    const first = usable().find((option) => option.control.checked) ?? usable()[0]
    first?.control.focus()
  }
}

if (picker) {
  const field = picker.querySelector("[data-picker-search]")
  field.addEventListener("input", () => search(field.value))
  picker.addEventListener("keydown", onKey)
  picker.addEventListener("change", (event) => event.target.name === "model" && show(event.target.closest(".option")))
  // A click chooses and closes; arrow keys only choose (they make clicks too, at no place on the screen).
  picker.addEventListener("click", (event) => event.detail > 0 && event.target.matches("[name='model']") && close())
  picker.addEventListener("toggle", (event) => {
    if (event.newState === "open") field.focus()
    field.value = ""
    search("")
  })
  document.addEventListener("click", (event) => {
    if (event.target.closest("[data-open-picker]")) document.querySelector("[data-picker-button]").click()
  })
}

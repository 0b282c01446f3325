// A message is on the page once. It may arrive twice: as the answer to sending it, and as news from the server.
function withoutTwins(task) {
  for (const article of task.fragment.querySelectorAll("article[id]")) {
    const twin = document.getElementById(article.id)
    if (!twin || task.target === twin || task.swapSpec.style === "innerHTML") continue
    // The one on the page may be streaming already; the newcomer has nothing that it has not.
    article.remove()
  }
}

document.addEventListener("htmx:before:swap", (event) => event.detail.tasks.forEach(withoutTwins))

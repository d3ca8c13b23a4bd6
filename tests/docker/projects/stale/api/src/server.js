console.log("started")
setInterval(() => console.log("api"), 60000)

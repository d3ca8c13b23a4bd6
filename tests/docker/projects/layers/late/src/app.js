console.log("late");

module dagger/pipeline

go 1.26.1
